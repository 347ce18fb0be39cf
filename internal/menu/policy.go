package menu

// PolicyPolicy is the right to manage users, groups and their keys.
const PolicyPolicy Policy = 1 << 4

// AllPolicies are the rights of somebody who may do everything.
const AllPolicies = Read | Write | Test | Sensitive | PolicyPolicy
