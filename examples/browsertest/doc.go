// Package browsertest tests the pages of the examples of products in a browser: an administrator signs in, sees a pushed
// group arrive, gives a role by hand, makes a token, and finds what has failed. It is a module of its own, so that no
// application gets chromedp. It needs Chromium; without one its tests are skipped, unless CI is set.
//
//	go test .
//	SCIM_PICTURES=folder go test .    # draws all pages too, for people who look at them
package browsertest
