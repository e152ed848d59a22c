package bulk

// Needs returns the creations that p refers to.
func (p *Part) Needs() []*Part { return p.needs }
