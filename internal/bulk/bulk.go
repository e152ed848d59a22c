// Package bulk turns the body of a bulk request (RFC 7644, Section 3.7) into operations
// in the order in which they run, and puts ids in the place of bulkIds. It runs nothing.
package bulk
