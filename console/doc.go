// Package console shows administrators what their identity provider sent and what it did, and lets them make its tokens.
//
//	c, err := console.New(console.Options{
//		Authorize: app.viewer, // who looks, as the application's log-in says
//		Tenant:    app.tenant, // its name, its address, its tokens
//		Journal:   j,
//	})
//	mux.Handle("/provisioning/", http.StripPrefix("/provisioning", c))
//
// It is an http.Handler that an application mounts behind its own log-in. Any prefix will do: all links are relative.
// Prefix and pattern end as above, so that the first page is "/provisioning/".
//
// # Who sees what
//
// Authorize names the tenants that a viewer sees, and what the viewer may do there: see May. A tenant that it does not
// name, and one that does not exist, are the same 404. Without any right in May a viewer reads everything but bodies.
// With Viewer.SeeAs the staff of the application sees a tenant as its administrators do, and does nothing there.
// Somebody without an account connects an identity provider by a set-up link: see Console.Setup.
//
// # What protects it
//
// Requests of other origins that would act are refused (http.CrossOriginProtection). A content security policy allows
// only the console's own style and script, and no frame. The console sets no cookie of its own but that of a set-up link, so
// set SameSite=Strict on that of your log-in. Texts of clients are escaped, and control characters in them are shown as symbols.
//
// Each act, and each look at a body, is a line in the log and a call of Options.Audit.
//
// # Troubles
//
// Console.Watch tells the application when a client fails or is silent, so that it can send a mail.
package console
