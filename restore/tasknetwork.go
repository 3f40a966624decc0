package restore

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/weights"
)

// taskNetwork is one of a Model's networks: the general one, or a specialist. A specialist was
// trained further for some tasks and does them instead of the general network. It may have another
// architecture.
type taskNetwork struct {
	tasks      []task.Task                    // in the order of the one-hot vector
	load       func() (*loadedNetwork, error) // returns the same every time
	parameters engine.Parameters
}

// loadedNetwork is a network that was read and checked.
type loadedNetwork struct {
	*Network
	nodes []*netdef.Node // its parameters
	grid
	// values returns the parameters by name. Network.Params is nil for embedded weights, whose
	// values are read only when they are needed. Calls come one at a time.
	values func() (map[string][]float32, error)
}

// grid says how pictures are laid out and cut for a network, in pixels.
type grid struct {
	align  int // sides of domains and tiles are multiples
	halo   int // what one network (adapter or flow map) needs around its result, rounded up to align
	margin int // of the domain around the picture
}

// newGrid returns the grid for a network and a Config.Margin.
func newGrid(cfg nets.Architecture, margin int) grid {
	align := max(cfg.Align(), 8) // planar pictures need a width of 8
	if margin == FullMargin {
		margin = cfg.Halo(1)
	}
	return grid{align, tile.RoundUp(cfg.Halo(0), align), tile.RoundUp(margin, align)}
}

// useNetwork checks a network that the caller made.
func (cfg Config) useNetwork(n *Network) (*loadedNetwork, error) {
	if n == nil {
		return nil, badNetwork("the network is nil")
	}
	nodes, err := n.check()
	if err != nil { // newGrid needs a valid configuration
		return nil, err
	}
	return cfg.loaded(n, nodes), nil
}

func (cfg Config) loaded(n *Network, nodes []*netdef.Node) *loadedNetwork {
	values := func() (map[string][]float32, error) { return n.Params, nil }
	return &loadedNetwork{n, nodes, newGrid(n.Config, cfg.Margin), values}
}

// useEmbedded makes a network of the binary: its graph at once, its values when they are needed.
// file reads the whole file, and name names it in errors.
func (cfg Config) useEmbedded(name string, meta map[string]string, file func() (*weights.File, error)) (*loadedNetwork, error) {
	n, nodes, err := networkWithoutValues(meta)
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
func (l *loadedNetwork) readAhead() {
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

// useFile makes a network of a weights file, and checks it.
func (cfg Config) useFile(f *weights.File) (*loadedNetwork, error) {
	n, nodes, err := readNetwork(f)
	if err != nil {
		return nil, err
	}
	return cfg.loaded(n, nodes), nil
}

// newTaskNetwork is for a network that is loaded.
func newTaskNetwork(l *loadedNetwork) (*taskNetwork, error) {
	tasks, err := l.taskOrder()
	return &taskNetwork{tasks: tasks, load: func() (*loadedNetwork, error) { return l, nil }}, err
}

// specialists returns the networks for some tasks: those of the Config, or those embedded, which
// are read when they are first needed.
func (cfg Config) specialists(general *Network) (list []*taskNetwork, err error) {
	for _, n := range cfg.Special {
		l, err := cfg.useNetwork(n)
		if err == nil {
			err = checkSpecialist(n, general)
		}
		if err != nil {
			return nil, err
		}
		s, err := newTaskNetwork(l)
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
			t, err := parseTaskOrPart(name)
			if err != nil {
				return nil, fmt.Errorf("embedded %s: %w", weights.SpecialName(names), err)
			}
			some = append(some, t)
		}
		list = append(list, &taskNetwork{
			tasks: oneHotOrder(some),
			load: sync.OnceValues(func() (*loadedNetwork, error) {
				return cfg.loadEmbeddedSpecialist(names, some, general)
			}),
		})
	}
	return list, nil
}

// loadEmbeddedSpecialist reads the embedded network for some tasks, which have these names.
func (cfg Config) loadEmbeddedSpecialist(names []string, some []task.Task, general *Network) (*loadedNetwork, error) {
	meta, err := weights.SpecialMeta(names)
	if err != nil {
		return nil, err
	}
	n, err := cfg.useEmbedded(weights.SpecialName(names), meta, func() (*weights.File, error) { return weights.Special(names) })
	if err != nil {
		return nil, err
	}
	err = checkSpecialist(n.Network, general)
	if want := joinTasks(oneHotOrder(some)); err == nil && n.Meta[weights.KeyTasks] != want {
		err = badNetwork("%s is %q, not %q", weights.KeyTasks, n.Meta[weights.KeyTasks], want)
	}
	if err != nil {
		return nil, fmt.Errorf("embedded %s: %w", weights.SpecialName(names), err)
	}
	return n, nil
}

// checkSpecialist returns an error if a network cannot replace the general one for some tasks.
func checkSpecialist(n, general *Network) error {
	if n.Config.Traits().Guess && !general.Config.Traits().Guess {
		return badNetwork("a network for some tasks reads the second view of motion blur, which the general network does not read")
	}
	return nil
}

// networkFor returns the network that does a task, and the task's place in its one-hot vector.
// Specialists come before the general network.
func (m *Model) networkFor(t task.Task) (network *taskNetwork, class int, ok bool) {
	for _, network := range m.networks {
		if i := slices.Index(network.tasks, t); i >= 0 {
			return network, i, true
		}
	}
	return nil, 0, false
}

// requireNetwork is networkFor with an *UnsupportedTaskError.
func (m *Model) requireNetwork(t task.Task) (network *taskNetwork, class int, err error) {
	network, class, ok := m.networkFor(t)
	if !ok {
		err = &UnsupportedTaskError{t.String(), strings.Join(taskNames(m.Tasks()), ", ")}
	}
	return network, class, err
}

// generalNetwork is the network for all tasks that have none of their own.
func (m *Model) generalNetwork() *taskNetwork { return m.networks[len(m.networks)-1] }

// Tasks lists the tasks that the networks were trained for.
func (m *Model) Tasks() []task.Task {
	var list []task.Task
	for _, t := range task.All() {
		if _, _, ok := m.networkFor(t); ok {
			list = append(list, t)
		}
	}
	return list
}

// shareParameters says which parameters the programs of each network read: the network's own, and
// with the general network also those of the kernel network.
func (m *Model) shareParameters() {
	for _, network := range m.networks {
		network.parameters.Load = func() ([]*netdef.Node, []map[string][]float32, error) {
			n, err := network.load()
			if err != nil {
				return nil, nil, err
			}
			params, err := n.values()
			if err != nil {
				return nil, nil, err
			}
			nodes, values := n.nodes, []map[string][]float32{params}
			if network != m.generalNetwork() {
				return nodes, values, nil
			}
			if kernels, err := m.kernels(); err == nil {
				nodes, values = slices.Concat(nodes, kernels.Nodes), append(values, kernels.Values)
			}
			return nodes, values, nil
		}
	}
}
