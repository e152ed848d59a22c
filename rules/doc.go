// Package rules has ready-made rules for scim.Config.Rules. Each one is a decision that some
// product makes about its users and groups. They are small, and they combine:
//
//	Rules: []scim.Rule{
//		rules.AdoptByUserName,
//		rules.EmailUserName,
//		rules.VerifiedDomains([]string{"example.com"}),
//	}
//
// The rules run in order. Put those that adopt first, because others look at the adopted
// account: Unique and FreezeUserName. Put NewAccount last, because it has effects.
//
// All rules judge changes only. A value that is equal to the stored one passes, because
// clients send back what they have read. What is new in an account that a request adopts
// counts as a change.
//
// No rule refuses a request that takes access away: one that leaves a user inactive, or
// removes members from a group. If a rule does not allow a part of such a request, the stored
// value stays, the rest is done, and the event scim.PartLeftOut says so. Two rules refuse
// deletions on purpose: Off with DeleteUsers, and those that protect groups.
//
// A rule that needs an answer of the application takes a function. Its error refuses the
// request: an *scim.Error as it is, any other error as 500.
package rules
