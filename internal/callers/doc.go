// Package callers tests who may call, from outside: every credential on every route of a server
// with several tenants, switches and revocations under load, and long runs of mixed requests.
package callers
