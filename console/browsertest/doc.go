// Package browsertest tests the console in a browser: by keyboard, with axe-core, light and dark, on a phone. It is a module
// of its own, so that no application gets chromedp. It needs Chromium; without one its tests are skipped, unless CI is set.
//
//	go test .                          # all pages
//	go test . -run Pictures -update    # draws the pictures of docs/console.md again
package browsertest
