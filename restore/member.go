package restore

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/weights"
)

// member is one of a Model's networks: the general one, or a specialist, which was trained on for some tasks and does them in its place. A specialist may have
// a form of its own.
type member struct {
	tasks      []task.Task             // in the order of the one-hot vector, noTask where there is none
	read       func() (*loaded, error) // the same every time
	parameters engine.Parameters
}

// loaded is a network that was read and checked.
type loaded struct {
	*Network
	nodes []*netdef.Node // its parameters
	grid
	// values gives the parameters by name. Network.Params is nil for embedded weights, whose values
	// are read only when they are needed. Calls come one at a time.
	values func() (map[string][]float32, error)
}

// grid says how a network's pictures are laid out and cut.
type grid struct {
	align  int // pixels; domains and tiles are multiples
	halo   int // pixels that one network (adapter or flow map) needs around what it computes, rounded up to align
	margin int // of the domain around the picture
}

// newGrid lays out for a configuration and a Config.Margin.
func newGrid(cfg nets.Architecture, margin int) grid {
	align := max(cfg.Align(), 8) // planar pictures need a width of 8
	if margin == FullMargin {
		margin = cfg.Halo(1)
	}
	return grid{align, roundUp(cfg.Halo(0), align), roundUp(margin, align)}
}

// accept checks a network that the caller made.
func (cfg Config) accept(n *Network) (*loaded, error) {
	if n == nil {
		return nil, badNetwork("there is none")
	}
	nodes, err := n.check()
	if err != nil { // its configuration may be of no network
		return nil, err
	}
	return cfg.loaded(n, nodes), nil
}

func (cfg Config) loaded(n *Network, nodes []*netdef.Node) *loaded {
	values := func() (map[string][]float32, error) { return n.Params, nil }
	return &loaded{n, nodes, newGrid(n.Config, cfg.Margin), values}
}

// embedded is a network of the binary: its form at once, its values when they are needed. file
// reads all of the file, and name names it in errors.
func (cfg Config) embedded(name string, meta map[string]string, file func() (*weights.File, error)) (*loaded, error) {
	n, nodes, err := formOf(meta)
	if err != nil {
		return nil, fmt.Errorf("embedded %s: %w", name, err)
	}
	l := cfg.loaded(n, nodes)
	l.values = func() (map[string][]float32, error) {
		f, err := file()
		if err != nil {
			return nil, err
		}
		whole, err := NetworkFromFile(f) // checks the values
		if err != nil {
			return nil, fmt.Errorf("embedded %s: %w", name, err)
		}
		return whole.Params, nil
	}
	return l, nil
}

// readAhead reads the values in the background, for the next call of values.
func (l *loaded) readAhead() {
	read := l.values
	ahead := make(chan struct{})
	var values map[string][]float32
	var err error
	go func() {
		defer close(ahead)
		values, err = read()
	}()
	l.values = func() (map[string][]float32, error) {
		<-ahead
		l.values = read // so that they are not kept
		return values, err
	}
}

// read reads a network from a file, which checks it.
func (cfg Config) read(f *weights.File) (*loaded, error) {
	n, nodes, err := readNetwork(f)
	if err != nil {
		return nil, err
	}
	return cfg.loaded(n, nodes), nil
}

// newMember is for a network that is there.
func newMember(l *loaded) (*member, error) {
	tasks, err := l.places()
	return &member{tasks: tasks, read: func() (*loaded, error) { return l, nil }}, err
}

// specialists makes the members beside the general one: those of the Config, or of the embedded weights, which are read when they are needed first.
func (cfg Config) specialists(general *Network) (list []*member, err error) {
	for _, n := range cfg.Special {
		l, err := cfg.accept(n)
		if err == nil {
			err = stands(n, general)
		}
		if err != nil {
			return nil, err
		}
		s, err := newMember(l)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if cfg.Network != nil || cfg.Weights != "" {
		return list, nil
	}
	for _, names := range weights.Specials() {
		var some []task.Task
		for _, name := range names {
			t, err := parsePlace(name)
			if err != nil {
				return nil, fmt.Errorf("embedded %s: %w", weights.SpecialName(names), err)
			}
			some = append(some, t)
		}
		list = append(list, &member{
			tasks: inPlaces(some),
			read:  sync.OnceValues(func() (*loaded, error) { return cfg.readSpecial(names, some, general) }),
		})
	}
	return list, nil
}

// inPlaces puts tasks at their class.
func inPlaces(some []task.Task) []task.Task {
	if len(some) == 1 && partNames[some[0]] != "" {
		return some
	}
	all := task.All()
	for i, t := range all {
		if !slices.Contains(some, t) {
			all[i] = noTask
		}
	}
	return all
}

// readSpecial reads an embedded specialist for some tasks, of these names.
func (cfg Config) readSpecial(names []string, some []task.Task, general *Network) (*loaded, error) {
	meta, err := weights.SpecialMeta(names)
	if err != nil {
		return nil, err
	}
	n, err := cfg.embedded(weights.SpecialName(names), meta, func() (*weights.File, error) { return weights.Special(names) })
	if err != nil {
		return nil, err
	}
	err = stands(n.Network, general)
	if want := listed(inPlaces(some)); err == nil && n.Meta[weights.KeyTasks] != want {
		err = badNetwork("%s is %q, not %q", weights.KeyTasks, n.Meta[weights.KeyTasks], want)
	}
	if err != nil {
		return nil, fmt.Errorf("embedded %s: %w", weights.SpecialName(names), err)
	}
	return n, nil
}

// stands says why a specialist cannot stand in for the general network.
func stands(n, general *Network) error {
	if n.Config.Traits().Guess && !general.Config.Traits().Guess {
		return badNetwork("a network for some tasks takes a second view of motion blur, which is made only where the general one takes it")
	}
	return nil
}

// memberFor finds who does a task, and the task's place in the one-hot vector: specialists before the general network.
func (m *Model) memberFor(t task.Task) (of *member, class int, ok bool) {
	for _, of := range m.members {
		if i := slices.Index(of.tasks, t); i >= 0 {
			return of, i, true
		}
	}
	return nil, 0, false
}

// memberOf is memberFor with an error for people.
func (m *Model) memberOf(t task.Task) (of *member, class int, err error) {
	of, class, ok := m.memberFor(t)
	if !ok {
		err = &UnsupportedTaskError{t.String(), strings.Join(taskNames(m.Tasks()), ", ")}
	}
	return of, class, err
}

// general is the network for all tasks that have none of their own.
func (m *Model) general() *member { return m.members[len(m.members)-1] }

// Tasks lists the tasks that the networks were trained for.
func (m *Model) Tasks() []task.Task {
	var list []task.Task
	for _, t := range task.All() {
		if _, _, ok := m.memberFor(t); ok {
			list = append(list, t)
		}
	}
	return list
}

// shareParameters says what each member's programs read: its network's parameters, with the general
// ones those of the kernel network.
func (m *Model) shareParameters() {
	for _, of := range m.members {
		of.parameters.Load = func() ([]*netdef.Node, []map[string][]float32, error) {
			n, err := of.read()
			if err != nil {
				return nil, nil, err
			}
			params, err := n.values()
			if err != nil {
				return nil, nil, err
			}
			nodes, values := n.nodes, []map[string][]float32{params}
			if kernels, err := m.kernels(); of == m.general() && err == nil {
				nodes, values = slices.Concat(nodes, kernels.Nodes), append(values, kernels.Values)
			}
			return nodes, values, nil
		}
	}
}
