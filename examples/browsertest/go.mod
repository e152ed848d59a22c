module github.com/scimkit/scim/examples/browsertest

go 1.26.0

replace github.com/scimkit/scim => ../..

replace github.com/scimkit/scim/console/browsertest => ../../console/browsertest

require (
	github.com/chromedp/chromedp v0.23.1
	github.com/scimkit/scim v0.0.0
	github.com/scimkit/scim/console/browsertest v0.0.0
)

require (
	github.com/chromedp/cdproto v0.160.1 // indirect
	github.com/go-json-experiment/json v1.27.2 // indirect
)
