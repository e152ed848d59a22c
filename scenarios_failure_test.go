package scim_test

func failureScenarios() []scenario { return nil }
