package ocsf

import "leat/pkg/event"

// outOrder is how an event begins and ends; what lies between is in the order of its names.
var outOrder = map[string]int{"time": -3, "severity_id": -2, "status_id": -1, "cloud": -1, "metadata": 1, "unmapped": 2, "raw_data": 3}

// finish orders the tree and enters what the schema requires of each object.
func (n *node) finish(k *class) {
	for _, a := range n.obj.attributes {
		if !a.required || len(a.profiles) > 0 || headed(a.name) {
			continue
		}
		if v, ok := a.find("0"); ok {
			kid := n.kid(a.name, a)
			if kid.leaf == nil {
				kid.leaf = &leaf{kind: kindEnum, attr: a, sibling: append(event.AppendString(nil, a.sibling), ':')}
			}
			kid.leaf.def, kid.leaf.defName = []byte(v.key), v.caption
		}
	}
	sortKids(n)
	index := map[string]int{}
	for i, kid := range n.kids {
		index[kid.name] = i
		if n.root && len(kid.attr.profiles) > 0 {
			kid.profile, kid.needs = k.profile(kid.attr.profiles[0]), n.profileNeeds(kid)
		}
		if kid.leaf != nil {
			continue
		}
		for _, e := range kid.elements {
			e.node.finish(k)
			e.shareMembers()
		}
		if kid.elements == nil {
			kid.finish(k)
		}
	}
	for _, a := range n.obj.attributes {
		if a.required && len(a.profiles) == 0 && !headed(a.name) {
			if i, ok := index[a.name]; ok {
				n.required = append(n.required, i)
			} else {
				n.required = append(n.required, -1)
			}
		}
	}
	n.bound = len(n.obj.atLeastOne) > 0
	for _, name := range n.obj.atLeastOne {
		if i, ok := index[name]; ok {
			n.atLeast = append(n.atLeast, i)
		}
	}
	for _, name := range n.obj.justOne {
		if i, ok := index[name]; ok {
			n.justOne = append(n.justOne, i)
		}
	}
}

// profileNeeds returns 1 + the number of the kid without which an event can't use the profile of kid, or 0.
func (n *node) profileNeeds(kid *node) int {
	for i, k := range n.kids {
		if k != kid && k.attr.required && len(k.attr.profiles) > 0 && k.attr.profiles[0] == kid.attr.profiles[0] {
			return i + 1
		}
	}
	return 0
}

// headed tells whether the activity's head brings the attribute.
func headed(name string) bool {
	return name == "class_uid" || name == "category_uid" || name == "activity_id" || name == "type_uid"
}

func sortKids(n *node) {
	for i := 1; i < len(n.kids); i++ {
		for j := i; j > 0 && less(n.root, n.kids[j].name, n.kids[j-1].name); j-- {
			n.kids[j], n.kids[j-1] = n.kids[j-1], n.kids[j]
		}
	}
}

func less(root bool, a, b string) bool {
	if root && outOrder[a] != outOrder[b] {
		return outOrder[a] < outOrder[b]
	}
	return a < b
}

// shareMembers tells each source of the element which members of its list's objects the element reads.
func (e *element) shareMembers() {
	by := map[int]map[string]bool{}
	e.node.sources(func(s *source) {
		if s.member != "" {
			if by[s.slot] == nil {
				by[s.slot] = map[string]bool{}
			}
			by[s.slot][s.member] = true
			s.members = by[s.slot]
		}
	})
}

func (n *node) sources(yield func(*source)) {
	if n.leaf != nil {
		for _, s := range n.leaf.sources {
			yield(s)
		}
	}
	for _, k := range n.kids {
		k.sources(yield)
	}
}

// profile returns 1 + the number of a profile in the class's list.
func (k *class) profile(name string) int {
	for i, p := range k.profiles {
		if p == name {
			return i + 1
		}
	}
	k.profiles = append(k.profiles, name)
	return len(k.profiles)
}
