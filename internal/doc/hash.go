package doc

import (
	"crypto/sha256"
	"encoding/hex"
)

// Hash is a hash of what clients can see of d: its id, version, times and values. It leaves
// out attributes that never leave the server. A client could otherwise guess their values
// by comparing hashes.
func (d *Document) Hash() string {
	sum := sha256.Sum256(Append(nil, d, Encode{Stored: true, Visible: true}))
	return hex.EncodeToString(sum[:16])
}
