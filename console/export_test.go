package console

// Quote and CurlOf are for tests with a shell.
var (
	Quote  = quote
	CurlOf = curlOf
)
