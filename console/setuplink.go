package console

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// setupLink is what a set-up link says. The console keeps no link: its signature proves that the console has made it.
type setupLink struct {
	// ID is the ID of its record among the tokens of the tenant: see linkLabel.
	ID string `json:"id"`
	// Tenant and Maker are bytes, because JSON would change what is not UTF-8.
	Tenant  []byte    `json:"tenant"`
	Maker   []byte    `json:"maker"`
	Expires time.Time `json:"expires"`
	// Scopes are those of the tokens that are made by it, and Tokens is how many these are at most.
	Scopes []string `json:"scopes"`
	Tokens int      `json:"tokens"`
}

const (
	// maxCode is how long the code of a link is. Browsers keep cookies of 4096 bytes.
	maxCode = 3800
	// linkKeySize is the size of a key that signs links.
	linkKeySize = 32
)

// errLink is what is wrong with a link that does not work. Its holder does not learn more.
var errLink = errors.New("console: the set-up link does not work")

// linkKeys sign and verify links. The first one signs.
type linkKeys [][]byte

// newLinkKeys derives the keys from those of the application, which it may use for something else too.
func newLinkKeys(keys [][]byte) (linkKeys, error) {
	var all linkKeys
	for i, key := range keys {
		if len(key) != linkKeySize || strings.Trim(string(key), string(key[:1])) == "" {
			return nil, fmt.Errorf("console: Setup: key %d: use %d random bytes", i+1, linkKeySize)
		}
		derived, err := hkdf.Key(sha256.New, key, nil, "scim console set-up link", sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("console: Setup: key %d: %w", i+1, err)
		}
		all = append(all, derived)
	}
	if len(all) == 0 {
		return nil, errors.New("console: Setup: Keys is empty")
	}
	return all, nil
}

// signatureOf returns the HMAC-SHA256 of a text.
func signatureOf(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text)) //nolint:errcheck // it never fails
	return mac.Sum(nil)
}

// sign writes the code of a link: what it says, and the signature of that.
func (all linkKeys) sign(l *setupLink) (string, error) {
	text, err := json.Marshal(l)
	if err != nil {
		return "", err
	}
	said := base64.RawURLEncoding.EncodeToString(text)
	code := said + "." + base64.RawURLEncoding.EncodeToString(signatureOf(all[0], said))
	if len(code) > maxCode {
		return "", fmt.Errorf("console: a set-up link has %d bytes, more than %d: the ids of its tenant and its maker are too long", len(code), maxCode)
	}
	return code, nil
}

// read reads the code of a link. It reads nothing of what a code says before a key has verified it.
func (all linkKeys) read(code string) (*setupLink, error) {
	said, signature, _ := strings.Cut(code, ".")
	sum, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if len(code) > maxCode || err != nil {
		return nil, errLink
	}
	isOurs := false
	for _, key := range all {
		if hmac.Equal(sum, signatureOf(key, said)) {
			isOurs = true
		}
	}
	if !isOurs {
		return nil, errLink
	}
	text, err := base64.RawURLEncoding.DecodeString(said)
	if err != nil {
		return nil, err
	}
	l := &setupLink{}
	return l, json.Unmarshal(text, l)
}
