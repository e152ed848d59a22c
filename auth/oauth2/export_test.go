package oauth2

import "crypto/sha256"

// Cached counts the tokens in the cache.
func Cached(a *Auth) int {
	a.cache.mu.Lock()
	defer a.cache.mu.Unlock()
	return len(a.cache.entries)
}

// IsCached reports whether a token is in the cache.
func IsCached(a *Auth, raw string) bool {
	a.cache.mu.Lock()
	defer a.cache.mu.Unlock()
	_, ok := a.cache.entries[sha256.Sum256([]byte(raw))]
	return ok
}
