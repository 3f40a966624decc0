package restore

import (
	"context"
	"fmt"
	"sync"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/weights"
)

// Model is a network on a device. Its methods are safe for concurrent use; tiles of concurrent pictures take turns on the
// device, the work on the host overlaps.
type Model struct {
	cfg     Config
	net     *loaded               // the general network
	source  string                // where its weights come from, for Info
	members []*member             // the networks for some tasks, and at the end the general one
	kernels motionblur.Parameters // of the network that reads motion blur's kernels, where there is a second view
	unread  error                 // why there are no kernels: motion-deblur alone needs them
	options gpu.Options           // of a device of its own

	devices sync.RWMutex // guards dev, which changes while somebody has the turn
	dev     *gpu.Device
	ownsDev bool

	turn   chan struct{} // holds one token while somebody uses the device, or what follows
	closed chan struct{} // closed by Close
	once   sync.Once
	cache  programs
	arena  compile.Arena // working memory of all programs
	pace   *pace
	rest   *rest // of the device, between runs
	// *motionblur.Estimator, which make the adapter's second view: each has memory of its own.
	estimators sync.Pool
	build      func(*compile.Store, *netdef.Graph, []*netdef.Node, compile.Options) (*compile.Program, error)
}

// Open opens a device and loads the weights onto it. Errors: *ConfigError, *NetworkError, those of weights.Load (among them
// *weights.FormatError) and weights.Default, and those of gpu.Open.
func Open(cfg Config) (*Model, error) {
	if cfg.Tile < 0 {
		return nil, &ConfigError{"Tile", fmt.Sprintf("is %d, must not be negative", cfg.Tile)}
	}
	cfg.Tile = min(cfg.Tile, largestTile)
	if cfg.Margin < FullMargin || cfg.Margin > 1<<20 {
		return nil, &ConfigError{"Margin", fmt.Sprintf("is %d, must be FullMargin, NoMargin or a number of pixels up to 2^20", cfg.Margin)}
	}
	if !(cfg.Pace >= 0 && cfg.Pace <= 1) {
		return nil, &ConfigError{"Pace", fmt.Sprintf("is %v, must be a share above 0 and up to 1, or 0 for all", cfg.Pace)}
	}
	network, source, err := cfg.load()
	if err != nil {
		return nil, err
	}
	general, err := newMember(network)
	if err != nil {
		return nil, err
	}
	others, err := cfg.specialists(network.Network)
	if err != nil {
		return nil, err
	}
	m := &Model{cfg: cfg, members: append(others, general), net: network, source: source, turn: make(chan struct{}, 1), closed: make(chan struct{})}
	if m.net.Config.Traits().Guess {
		go cfg.kernelNetwork() // decodes it while the device is opened
	}
	m.build = m.compile
	if m.dev = cfg.Shared; m.dev == nil {
		m.options = gpu.Options{Device: cfg.Device, Validation: cfg.Validation, OnMessage: cfg.OnMessage, CacheDir: cfg.CacheDir, Faults: cfg.faults, Timeout: cfg.timeout()}
		if m.dev, err = gpu.Open(m.options); err != nil {
			return nil, err
		}
		m.ownsDev = true
	}
	if err := cfg.checkPrecision(m.dev.Info()); err != nil {
		m.Close()
		return nil, err
	}
	m.pace, m.rest = newPace(m.dev.Info().Type), newRest(cfg.Pace)
	if m.net.Config.Traits().Guess {
		m.kernels, m.unread = cfg.kernelNetwork()
	}
	if _, err = m.parameters(general); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

func (cfg Config) load() (n *loaded, source string, err error) {
	if cfg.Network != nil {
		n, err = cfg.accept(cfg.Network)
		return n, "given by the program", err
	}
	var f *weights.File
	if cfg.Weights == "" {
		source = "embedded"
		f, err = weights.Default()
	} else {
		source = cfg.Weights
		f, err = weights.Load(cfg.Weights)
	}
	if err != nil {
		return nil, "", err
	}
	if n, err = cfg.read(f); err != nil && cfg.Weights != "" {
		err = fmt.Errorf("%s: %w", cfg.Weights, err)
	}
	return n, source, err
}

// device is the one at hand.
func (m *Model) device() *gpu.Device {
	m.devices.RLock()
	defer m.devices.RUnlock()
	return m.dev
}

// onDevice waits for a turn and calls f with it. If the device is lost (a driver was reset, say) and the Model's own, it is opened anew and f called
// once more.
func (m *Model) onDevice(ctx context.Context, f func() error) error {
	if err := m.acquire(ctx); err != nil {
		return err
	}
	defer m.release()
	m.rest.wait(ctx, m.closed)
	if err := m.alive(ctx); err != nil {
		return err
	}
	err := f()
	if err == nil || !m.ownsDev || !isLost(err) {
		return err
	}
	if e := m.reopen(); e != nil {
		return fmt.Errorf("%w; it could not be opened again: %v", err, e)
	}
	return f()
}

// reopen replaces a lost device. The caller has the turn.
func (m *Model) reopen() error {
	m.cache.drop()
	m.forgetParameters()
	m.dev.Close()
	dev, err := gpu.Open(m.options)
	if err != nil {
		return err
	}
	m.devices.Lock()
	m.dev = dev
	m.devices.Unlock()
	_, err = m.parameters(m.general())
	return err
}

// Close frees everything on the device. It waits for the tile that is being computed; calls that still run, and later ones,
// return ErrClosed. Closing again does nothing.
func (m *Model) Close() error {
	m.once.Do(func() {
		close(m.closed)
		m.turn <- struct{}{} // kept: nobody gets a turn any more
		m.cache.drop()
		m.forgetParameters()
		if m.ownsDev {
			m.dev.Close()
		}
	})
	return nil
}

// acquire waits for a turn on the device.
func (m *Model) acquire(ctx context.Context) error {
	if err := m.alive(ctx); err != nil {
		return err
	}
	select {
	case m.turn <- struct{}{}:
	case <-m.closed:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := m.alive(ctx); err != nil { // select picks any of what is ready
		m.release()
		return err
	}
	return nil
}

func (m *Model) release() { <-m.turn }

// alive tells why to stop, if there is a reason.
func (m *Model) alive(ctx context.Context) error {
	select {
	case <-m.closed:
		return ErrClosed
	default:
		return ctx.Err()
	}
}

// count is the number of parameters.
func (m *Model) count() (n int) {
	for _, p := range m.net.nodes {
		n += p.Shape.Size()
	}
	return n
}

// Info describes the device, the network and its weights in a line.
func (m *Model) Info() string {
	d := m.device().Info()
	driver := d.DriverName
	if d.DriverInfo != "" {
		driver += " " + d.DriverInfo
	}
	return fmt.Sprintf("%s (%v, %s, Vulkan %v); %s network of widths %v, %d parameters; weights: %s",
		d.Name, d.Type, driver, d.API, m.net.Config.Name(), m.net.Config.Traits().Widths, m.count(), m.source)
}
