// Package journal keeps what clients sent to a SCIM endpoint and what it did: each exchange as the
// client saw it, with what it changed.
//
//	j, err := journal.New(journal.NewMemory(16<<20), journal.Options{Keys: journal.NewEphemeralKeys()})
//	h, err := scim.New(j.Config(scim.Config{Store: store, Auth: auth, ...}))
//	http.ListenAndServe(addr, scim.Mount("/scim/v2", j.Handler(h), app))
//	go j.Run(ctx) // the application owns this goroutine, and calls Close when the server has stopped
//
// # Capture
//
// Journal.Handler stands around the scim.Handler and copies both bodies while they pass. Journal.Config
// adds to the scim.Config what else an entry needs: the client, the tenant, the events, and each resource
// before and after a write. The parts find each other by the context of the request.
//
// A request never waits for the journal. It puts the exchange into a queue of 16 MiB, and Run
// redacts, seals and writes it a quarter of a second later. If the queue is full, the bodies of
// successful reads go first, and the line of a failed request goes last. Lines that are lost become
// an entry of the kind Gap. So do those of a process that ended without Close.
//
// Requests of nobody known, and those over a limit, are entries of the kind Refused. They have no
// body and no secret, and there is at most one a second for each address. They have little room of
// their own in the queue and in the store, and never push out another entry.
//
// # Redaction
//
// Before anything is written, the journal takes out credentials in headers and addresses, passwords, and
// what Options.Redact names: in bodies, operations of a bulk request, paths, filters, and texts that
// mention one. A body that is not valid JSON is not kept. Its size and a keyed hash are.
//
// # Sealing
//
// Only Head is in the clear. Everything else is sealed by AES-256-GCM, with a key for each day and
// tenant. A Wrapper of the application wraps these keys. The store finds an entry by keyed hashes of names
// and ids, whose keys are others. Who has the store, and not the Wrapper's key, learns nothing else.
// Journal.Erase erases what a person's entries contain.
package journal
