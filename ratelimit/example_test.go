package ratelimit_test

import (
	"context"
	"fmt"

	"github.com/scimkit/scim/ratelimit"
)

func ExampleNew() {
	limiter, err := ratelimit.New(ratelimit.Options{Rate: 50})
	if err != nil {
		fmt.Println(err)
		return
	}
	limiter.Charge(context.Background(), "acme", 1000) // a bulk request that has run
	read := limiter.Admit(context.Background(), "acme", false)
	deletion := limiter.Admit(context.Background(), "acme", true)
	fmt.Println(read.RetryAfter, deletion.RetryAfter)
	// Output: 20s 0s
}
