package nets

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/vfmrestore/restore/netdef"
)

// Architecture is a form of the two networks, the adapter and the flow map, with its sizes. It is
// plain data, which is stored with the weights as JSON; see Decode.
//
// A new architecture is a type in a file of its own and a line in architectures. Its parameters,
// with their shapes and initial values, are those of the graphs that it builds: see netdef.Params
// and netdef.InitialValues.
type Architecture interface {
	// Name is the value of weights.KeyNetwork.
	Name() string
	// Validate returns a *ConfigError for the first setting that is not valid, or nil.
	Validate() error
	// Traits are the settings that all architectures have.
	Traits() Traits
	// WithScales returns the architecture with other Traits.Scales.
	WithScales(scales [][]float32) Architecture
	// Describe returns the sizes of the networks for people, a line or more.
	Describe() []string

	// Align is the number of pixels that must divide the sides of pictures, a multiple of 4.
	Align() int
	// Halo returns how many pixels of its surroundings a tile needs on every side so that the
	// adapter, followed by the flow map as often as there are steps, gives exactly the same as in
	// the whole picture. It is a multiple of 4 and exact: a smaller number is not enough. It holds
	// for tiles whose edges, with and without the halo, are at multiples of Align pixels, so
	// callers round it up to a multiple of that.
	//
	// At the border of the picture the networks see zero padding in every layer, so a tile there
	// must end where the picture ends.
	Halo(steps int) int
	// Memory bounds the working memory of any of the networks.
	Memory() Memory

	// The next three build the networks for inputs that have been checked. Use Adapter, FlowMap and
	// OneStep, which check them, and give the parameters their scopes.
	adapter(g *netdef.Graph, in AdapterInput) (mu, logvar *netdef.Node)
	flowMap(g *netdef.Graph, x, r, t *netdef.Node) (u *netdef.Node)
	oneStep(g *netdef.Graph, z *netdef.Node) (x *netdef.Node)
}

// Traits are the settings that all architectures have.
type Traits struct {
	// Guess: the adapter takes a second estimate of the picture (see AdapterInput.Guess).
	Guess bool
	// Coarse is how often the picture is halved. If it is not 0, the guess of denoise is the picture
	// plus the enlarged change that the same network has made to the picture's half, whose guess
	// comes from its own half, and so on. The coarsest picture is its own guess.
	Coarse int
	// Noise: the adapter takes the shape of the noise besides its strength (see
	// AdapterInput.Noise).
	Noise bool
	// Scales, if not empty, says for each class how the noise of samples is mixed. The first number
	// of a class is the share of white noise in the blocks' means (LL2). The following ones are the
	// shares of noise with one number per 2, 4, … sites (see package restore). A class without
	// numbers has white noise.
	Scales [][]float32
	// Widths are the channel counts of the levels, from fine to coarse.
	Widths []int
	// Mean is the mean of every channel of flow space over the training set, for pictures in
	// [-1,1].
	Mean [FlowChannels]float32
}

// Memory counts float32 numbers per site, which is 4×4 pixels.
type Memory struct {
	Work   int // all tensors that exist at the same time
	Widest int // the largest tensor
}

// architectures makes the table of all architectures, by their names.
var architectures = table(of[EdgeConfig](), of[PlainConfig]())

// entry is an architecture in the table.
type entry struct {
	name   string
	decode func(text string) (Architecture, error)
}

func of[A Architecture]() entry {
	var zero A
	return entry{zero.Name(), decode[A]}
}

func table(entries ...entry) map[string]entry {
	m := map[string]entry{}
	for _, e := range entries {
		m[e.name] = e
	}
	return m
}

// Names lists the architectures, sorted.
func Names() []string { return slices.Sorted(maps.Keys(architectures)) }

// UnknownError reports a name of no architecture.
type UnknownError struct{ Name string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("nets: there is no architecture %q, only %s", e.Name, strings.Join(Names(), " and "))
}

// Decode reads an architecture: its name and its settings as JSON, the values of weights.KeyNetwork
// and weights.KeyConfig. json.Marshal is the inverse. Decode is strict: a setting that it does not
// know would be one that the program does not follow. It fails with an *UnknownError if there is no
// such architecture, and with a *ConfigError or an error of the JSON if the settings are not valid.
func Decode(name, text string) (Architecture, error) {
	e, ok := architectures[name]
	if !ok {
		return nil, &UnknownError{name}
	}
	return e.decode(text)
}

func decode[A Architecture](text string) (Architecture, error) {
	var a A
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the JSON object")
	}
	// Arrays of another length would be cut or filled up without an error.
	var lists struct{ SD, Mean []float32 }
	if err := json.Unmarshal([]byte(text), &lists); err != nil {
		return nil, err
	}
	if len(lists.SD) != FlowChannels || len(lists.Mean) != FlowChannels {
		return nil, fmt.Errorf("sd and mean have %d and %d values, must have %d", len(lists.SD), len(lists.Mean), FlowChannels)
	}
	return a, a.Validate()
}

// ConfigError reports settings from which no network can be built.
type ConfigError struct{ Network, Field, Reason string }

func (e *ConfigError) Error() string {
	return fmt.Sprintf("nets: %s network: %s %s", e.Network, e.Field, e.Reason)
}

// Adapter builds the noise adapter q(z|y,task) = N(mu, exp(logvar)): the posterior of the latent z
// of flow space, whose prior is N(0, I).
//
// mu is the mean and logvar = log σ_φ² the log-variance (not that of the standard deviation) of
// every element. Both are [B,h,w,48]; logvar is clamped to [MinLogVar, MaxLogVar].
//
// Before training this is the exact posterior for a picture whose channels are independent
// Gaussians of standard deviation sd, observed with noise σ. From x = sd·z and y = x + σε follow
// the mean sd·y/(sd²+σ²), which is the Wiener gain sd/√(sd²+σ²) times the normalised observation
// y/√(sd²+σ²), and the variance σ²/(sd²+σ²). The network's output, a learned factor of the mean and
// a learned offset of logvar, both per task and channel, have no effect before training. If there
// is a guess other than y, it moves the mean by guessGain of the difference.
//
// Parameters are named "adapter/..." under the current scope. If the settings or the shape of in.Y
// are not valid, the graph gets an error.
func Adapter(g *netdef.Graph, a Architecture, in AdapterInput) (mu, logvar *netdef.Node) {
	defer g.Scope("adapter")()
	if err := checkInputs(g, a, in.Y); err != nil {
		return g.Fail(err), g.Fail(err)
	}
	if !a.Traits().Noise {
		in.Noise = nil
	}
	if !a.Traits().Guess {
		in.Guess = nil
	}
	return a.adapter(g, in)
}

// FlowMap builds the average velocity u(x, r, t) of the mean flow (docs/MODEL.md) for x [B,h,w,48]
// in flow space and times r ≤ t [B,1,1,1] (or [1,1,1,1]) in [0,1]. r = t is allowed.
//
//	u = k(r,t)·x + (sd/s_t)·net(x/s_t; t, r),  s_t = √(t² + (1-t)²sd²),
//	k = (s_t - s_r)/((t-r)·s_t)
//
// k is the exact mean flow of independent Gaussians of standard deviation sd, and net is 0 before
// training. Parameters are named "flow/..." under the current scope. If the settings or the shape
// of x are not valid, the graph gets an error.
func FlowMap(g *netdef.Graph, a Architecture, x, r, t *netdef.Node) (u *netdef.Node) {
	defer g.Scope("flow")()
	if err := checkInputs(g, a, x); err != nil {
		return g.Fail(err)
	}
	return a.flowMap(g, x, r, t)
}

// OneStep builds f(z) = z - u(z, 0, 1) = sd·(z - net(z; 1, 0)): the picture in flow space
// [B,h,w,48] to which one step maps the latent z. It shares its parameters with FlowMap. Before
// training it is exactly sd·z.
func OneStep(g *netdef.Graph, a Architecture, z *netdef.Node) *netdef.Node {
	defer g.Scope("flow")()
	if err := checkInputs(g, a, z); err != nil {
		return g.Fail(err)
	}
	return a.oneStep(g, z)
}

// checkInputs returns the graph's earlier error, or an error for bad settings or an input whose
// size does not fit the architecture.
func checkInputs(g *netdef.Graph, a Architecture, x *netdef.Node) error {
	if err := g.Err(); err != nil {
		return err
	}
	if err := a.Validate(); err != nil {
		return err
	}
	n := a.Align() / 4
	if s := x.Shape; s[3] != FlowChannels || s[1]%n != 0 || s[2]%n != 0 {
		return fmt.Errorf("nets: %s network: input %q is %v, want 48 channels and sides that are multiples of %d sites (%d pixels)",
			a.Name(), x.Name, s, n, a.Align())
	}
	return nil
}

// Cost is the size of the networks and their amount of arithmetic.
type Cost struct {
	AdapterParams, FlowParams int     // numbers of trained parameters
	FLOPsPerPixel             float64 // of the adapter and the one-step flow map; convolutions only
}

// CostOf counts parameters and arithmetic; see netdef.FLOPs.
func CostOf(a Architecture) (Cost, error) {
	g := netdef.NewGraph()
	// Large enough that what is done once per picture does not count.
	side := a.Align() / 4 * 16
	in := func(name string, h, ch int) *netdef.Node { return g.Input(name, netdef.Shape{1, h, h, ch}) }
	mu, logvar := Adapter(g, a, AdapterInput{
		Y: in("y", side, FlowChannels), Mask: in("mask", side, MaskChannels), Task: in("task", 1, Tasks), Sigma: in("sigma", 1, 1),
		Noise: in("noise", 1, NoiseNumbers), Guess: in("guess", side, FlowChannels),
	})
	x := OneStep(g, a, in("z", side, FlowChannels))
	if err := g.Err(); err != nil {
		return Cost{}, err
	}
	return Cost{
		AdapterParams: netdef.CountParams(mu, logvar),
		FlowParams:    netdef.CountParams(x),
		FLOPsPerPixel: float64(netdef.FLOPs(mu, logvar, x)) / float64(16*side*side),
	}, nil
}
