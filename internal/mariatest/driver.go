package mariatest

import _ "github.com/go-sql-driver/mysql"

// Driver is the name of the driver.
const Driver = "mysql"
