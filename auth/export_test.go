package auth

// SetCompare replaces bcrypt in tests.
func SetCompare(b *BasicAuth, f func(hash, password []byte) error) { b.compare = f }
