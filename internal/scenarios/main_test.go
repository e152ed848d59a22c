package scenarios

import "testing"

func TestMain(m *testing.M) { postgres.Main(m) }
