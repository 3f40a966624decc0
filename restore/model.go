package restore

import (
	"context"
	"fmt"
	"sync"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/weights"
)

// Model is a set of networks on a device. Its methods are safe for concurrent use. Tiles of
// concurrent pictures take turns on the device; the work on the host overlaps.
type Model struct {
	cfg      Config
	general  *loadedNetwork // for all tasks that have no network of their own
	source   string         // where its weights come from, for Info
	networks []*taskNetwork // those for some tasks, and at the end the general one
	engine   *engine.Engine
	// estimators holds *deviceEstimator, each with memory of its own. They make the second view.
	estimators sync.Pool
}

// Open opens a device and reads the weights. Weights embedded in the program are only read when a
// picture, or PrepareFor, first needs them. All weights are put on the device at that time. Errors:
// *ConfigError, *NetworkError, those of weights.Load (among them *weights.FormatError) and
// weights.Default, and those of gpu.Open.
func Open(cfg Config) (*Model, error) {
	m, err := newModel(cfg)
	if err != nil {
		return nil, err
	}
	if err := m.openDevice(); err != nil {
		return nil, err
	}
	return m, nil
}

// newModel is Open without the device, which openDevice opens.
func newModel(cfg Config) (*Model, error) {
	if cfg.Tile < 0 {
		return nil, &ConfigError{"Tile", fmt.Sprintf("is %d, must not be negative", cfg.Tile)}
	}
	cfg.Tile = min(cfg.Tile, maxTile)
	if cfg.Margin < FullMargin || cfg.Margin > 1<<20 {
		return nil, &ConfigError{"Margin", fmt.Sprintf(
			"is %d, must be FullMargin, NoMargin or a number of pixels up to 2^20", cfg.Margin)}
	}
	if !(cfg.Pace >= 0 && cfg.Pace <= 1) {
		return nil, &ConfigError{"Pace", fmt.Sprintf("is %v, must be a share above 0 and up to 1, or 0 for all", cfg.Pace)}
	}
	if cfg.Borrowed != nil {
		switch {
		case cfg.Shared != nil:
			return nil, &ConfigError{"Borrowed", "excludes Shared; give one device"}
		case cfg.Device != "":
			return nil, &ConfigError{"Borrowed", "excludes Device, which chooses another one"}
		case cfg.Validation:
			return nil, &ConfigError{"Borrowed", "excludes Validation; switch the layer on in your instance"}
		}
	}
	network, source, err := cfg.loadGeneral()
	if err != nil {
		return nil, err
	}
	general, err := newTaskNetwork(network)
	if err != nil {
		return nil, err
	}
	others, err := cfg.specialists(network.Network)
	if err != nil {
		return nil, err
	}
	m := &Model{cfg: cfg, networks: append(others, general), general: network, source: source}
	m.shareParameters()
	return m, nil
}

func (m *Model) openDevice() error {
	cfg := m.cfg
	opened, err := engine.Open(engine.Options{
		Shared: cfg.Shared, Share: cfg.Pace,
		GPU: gpu.Options{
			Device: cfg.Device, Validation: cfg.Validation, OnMessage: cfg.OnMessage,
			CacheDir: cfg.CacheDir, Faults: cfg.faults, Timeout: cfg.timeout(), Borrowed: cfg.Borrowed,
		},
	})
	if err != nil {
		return err
	}
	m.engine = opened
	if err := cfg.checkPrecision(m.engine.Device().Info()); err != nil {
		m.Close()
		return err
	}
	return nil
}

// kernels returns the parameters of the kernel network, or none if the general network has no
// second view. It is decoded when it is first needed.
func (m *Model) kernels() (motionblur.Parameters, error) {
	if !m.general.Config.Traits().Guess {
		return motionblur.Parameters{}, nil
	}
	return m.cfg.kernelNetwork()
}

// loadGeneral loads the general network. source says where its weights come from.
func (cfg Config) loadGeneral() (n *loadedNetwork, source string, err error) {
	if cfg.Network != nil {
		n, err = cfg.useNetwork(cfg.Network)
		return n, "given by the program", err
	}
	if cfg.Weights == "" {
		meta, err := weights.DefaultMeta()
		if err != nil {
			return nil, "", err
		}
		n, err = cfg.useEmbedded(weights.DefaultName, meta, weights.Default)
		return n, "embedded", err
	}
	f, err := weights.Load(cfg.Weights)
	if err != nil {
		return nil, "", err
	}
	if n, err = cfg.useFile(f); err != nil {
		err = fmt.Errorf("%s: %w", cfg.Weights, err)
	}
	return n, cfg.Weights, err
}

// Close frees everything on the device. It waits for the tile that is being computed. Calls that
// still run, and later ones, return ErrClosed. Closing again does nothing.
func (m *Model) Close() error {
	m.engine.Close()
	return nil
}

// checkAlive returns an error if the Model is closed or ctx is done.
func (m *Model) checkAlive(ctx context.Context) error { return m.engine.Alive(ctx) }

// parameterCount is the number of parameters of the general network.
func (m *Model) parameterCount() (n int) {
	for _, p := range m.general.nodes {
		n += p.Shape.Size()
	}
	return n
}

// Info describes the device, the network and its weights in a line.
func (m *Model) Info() string {
	d := m.engine.Device().Info()
	driver := d.DriverName
	if d.DriverInfo != "" {
		driver += " " + d.DriverInfo
	}
	return fmt.Sprintf("%s (%v, %s, Vulkan %v); %s network of widths %v, %d parameters; weights: %s",
		d.Name, d.Type, driver, d.API, m.general.Config.Name(), m.general.Config.Traits().Widths, m.parameterCount(), m.source)
}
