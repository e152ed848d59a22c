package sqlitetest

import _ "modernc.org/sqlite"

// Driver is the name of the driver. internal/drivers puts other files in the place of this
// one.
const Driver = "sqlite"
