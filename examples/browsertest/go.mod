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
	github.com/elimity-com/scim v0.0.0-20260728105928-2641426a1539 // indirect
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/q-uint/parser v0.3.1 // indirect
	github.com/q-uint/xsd-datetime v1.0.0 // indirect
	github.com/scim2/filter-parser/v2 v2.3.1 // indirect
	golang.org/x/crypto v0.54.0 // indirect
	golang.org/x/text v0.44.0 // indirect
)
