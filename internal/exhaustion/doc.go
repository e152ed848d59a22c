// Package exhaustion measures what the worst requests cost that the default limits allow:
// CPU time, memory, and the time for which another tenant waits.
package exhaustion
