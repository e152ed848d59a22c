package tenants

import (
	"errors"
	"fmt"
)

// State says whether a tenant has an endpoint. Applications keep it as text.
type State string

// The states of a tenant.
const (
	NotSetUp State = ""    // NotSetUp has no endpoint: 404.
	On       State = "on"  // On serves requests.
	Off      State = "off" // Off was On before: 503 with Retry-After, so that clients forget nobody.
)

// Switch is what an administrator switches. Keep both fields in the row of the tenant, and change
// them in a transaction that locks the row: otherwise SCIM and another sync can be switched on at
// the same time. If that has happened, the endpoint answers as if the tenant were Off.
type Switch struct {
	// State says whether the tenant has an endpoint.
	State State
	// OtherSync names a directory sync that excludes SCIM, such as "LDAP", while it runs for the
	// tenant. Two sources of users would undo each other's changes. It is "" if none runs.
	OtherSync string
}

// ErrExcluded is what TurnOn and StartSync return if the other one is on.
var ErrExcluded = errors.New("tenants: SCIM and another directory sync exclude each other")

// TurnOn makes the tenant On. It returns ErrExcluded while another directory sync runs.
func (s *Switch) TurnOn() error {
	if s.OtherSync != "" {
		return fmt.Errorf("%w: %s runs for this tenant, so switch it off before you switch SCIM on", ErrExcluded, s.OtherSync)
	}
	s.State = On
	return nil
}

// TurnOff makes a tenant that is On Off. A tenant that was never On stays NotSetUp.
func (s *Switch) TurnOff() {
	if s.State == On {
		s.State = Off
	}
}

// StartSync sets OtherSync. It returns ErrExcluded while SCIM is On. It also refuses a second sync.
func (s *Switch) StartSync(name string) error {
	switch {
	case name == "":
		return errors.New("tenants: StartSync needs the name of the sync")
	case s.State == On:
		return fmt.Errorf("%w: SCIM is on for this tenant, so switch it off before you switch %s on", ErrExcluded, name)
	case s.OtherSync != "" && s.OtherSync != name:
		return fmt.Errorf("tenants: %s runs for this tenant already", s.OtherSync)
	}
	s.OtherSync = name
	return nil
}

// StopSync clears OtherSync. It does not turn SCIM on.
func (s *Switch) StopSync() { s.OtherSync = "" }

// reasonOff says why requests are not served. It is "" if they are.
func (s *Switch) reasonOff() string {
	switch {
	case s.State != On:
		return "SCIM is switched off for this tenant"
	case s.OtherSync != "":
		return "SCIM is off for this tenant, because another directory sync runs"
	}
	return ""
}
