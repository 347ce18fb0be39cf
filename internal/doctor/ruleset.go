package doctor

import (
	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// A Ruleset is what nftables has, as far as it bears on packets to this machine.
type Ruleset struct {
	Chains []Chain
	Sets   map[SetKey]Set
}

// A Chain has its rules.
type Chain struct {
	*nftables.Chain
	Rules []*nftables.Rule
}

// A SetKey names a set.
type SetKey struct {
	Family nftables.TableFamily
	Table  string
	Set    string
}

// A Set has its elements.
type Set struct {
	Interval bool
	Elements []nftables.SetElement
}

// readRuleset reads all of it.
func readRuleset(c *nftables.Conn) (*Ruleset, error) {
	chains, err := c.ListChains()
	if err != nil {
		return nil, err
	}
	r := &Ruleset{Sets: map[SetKey]Set{}}
	for _, chain := range chains {
		rules, err := c.GetRules(chain.Table, chain)
		if err != nil {
			return nil, err
		}
		r.Chains = append(r.Chains, Chain{chain, rules})
	}
	tables, err := c.ListTables()
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		if !receives(t.Family) {
			continue
		}
		sets, err := c.GetSets(t)
		if err != nil {
			return nil, err
		}
		for _, s := range sets {
			elements, err := c.GetSetElements(s)
			if err != nil {
				return nil, err
			}
			r.Sets[SetKey{t.Family, t.Name, s.Name}] = Set{s.Interval, elements}
		}
	}
	return r, nil
}

// receives reports whether tables of a family see IPv4 packets to this machine.
func receives(f nftables.TableFamily) bool {
	return f == nftables.TableFamilyIPv4 || f == nftables.TableFamilyINet
}

// translates reports whether any rule changes addresses (NAT).
func (r *Ruleset) translates() bool {
	for _, c := range r.Chains {
		for _, rule := range c.Rules {
			for _, x := range rule.Exprs {
				switch x := x.(type) {
				case *expr.Masq, *expr.NAT:
					return true
				case *expr.Target:
					if x.Name == "MASQUERADE" || x.Name == "SNAT" || x.Name == "DNAT" {
						return true
					}
				}
			}
		}
	}
	return false
}

// helps reports whether any rule gives connections to a conntrack helper.
func (r *Ruleset) helps() bool {
	const helper = 3 // NFT_OBJECT_CT_HELPER
	for _, c := range r.Chains {
		for _, rule := range c.Rules {
			for _, x := range rule.Exprs {
				if o, ok := x.(*expr.Objref); ok && o.Type == helper {
					return true
				}
			}
		}
	}
	return false
}
