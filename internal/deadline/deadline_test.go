package deadline

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestDeadline(t *testing.T) {
	type key struct{}
	parent, end := context.WithCancel(context.WithValue(context.Background(), key{}, "v"))
	defer end()

	c, cancel := With(parent, time.Hour)
	if at, ok := c.Deadline(); !ok || time.Until(at) > time.Hour || time.Until(at) < 59*time.Minute {
		t.Errorf("deadline %v, %t", at, ok)
	}
	if c.Err() != nil || c.Value(key{}) != "v" {
		t.Errorf("at first: %v, %v", c.Err(), c.Value(key{}))
	}
	child, cancelChild := context.WithCancel(c)
	defer cancelChild()
	if c.Value(key{}) != "v" {
		t.Error("a value is lost when somebody waits")
	}
	cancel()
	select {
	case <-child.Done():
	case <-time.After(time.Second):
		t.Fatal("cancelling does not reach a derived context")
	}
	if c.Err() != context.Canceled || child.Err() != context.Canceled {
		t.Errorf("cancelled: %v, %v", c.Err(), child.Err())
	}

	c, cancel = With(parent, time.Hour)
	cancel()
	<-c.Done() // also if nobody waited before
	if c.Err() != context.Canceled {
		t.Errorf("cancelled before anybody waited: %v", c.Err())
	}

	for name, wait := range map[string]func(c context.Context){
		"waiting": func(c context.Context) { <-c.Done() },
		"asking": func(c context.Context) {
			for c.Err() == nil {
				time.Sleep(time.Millisecond)
			}
		},
	} {
		c, cancel := With(parent, 5*time.Millisecond)
		wait(c)
		if !errors.Is(c.Err(), context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, c.Err())
		}
		<-c.Done()
		cancel()
		if !errors.Is(c.Err(), context.DeadlineExceeded) {
			t.Errorf("%s, afterwards: %v", name, c.Err())
		}
	}

	c, cancel = With(parent, time.Hour)
	defer cancel()
	end()
	if c.Err() != context.Canceled {
		t.Errorf("the client hung up: %v", c.Err())
	}
	<-c.Done()
}
