package main

import (
	"path/filepath"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/picture"
)

// writeExplanation writes the steps of the method as pictures (Figs. 15 and 16 of the paper): the
// adapter's μ and σ; with samples their z, the samples, their mean and standard deviation; for
// motion blur also the estimated kernel. The format is PNG, as JPEG would hide small differences.
func (o *options) writeExplanation(s *staging, r *restore.Result) error {
	if err := s.directory(o.explain); err != nil {
		return err
	}
	l := r.Latent
	add := func(path string, p *picture.Picture) error { return s.add(output{path: path, format: picture.PNG}, p) }
	one := func(name string, p *picture.Picture) error { return add(filepath.Join(o.explain, name+".png"), p) }
	if err := one("mu", restore.LatentPicture(l.Mu, l.W, l.H, 0, 3)); err != nil {
		return err
	}
	if err := one("sigma", restore.LatentPicture(l.Sigma, l.W, l.H, 0.5, 0.5)); err != nil {
		return err
	}
	if p := kernelPicture(r.Blur); p != nil {
		if err := one("kernel", p); err != nil {
			return err
		}
	} else if l.Kernel != nil {
		if err := one("kernel", restore.KernelPicture(l.Kernel, 4)); err != nil {
			return err
		}
	}
	for i, z := range l.Z {
		if err := add(seriesPath(o.explain, "z", i, ".png"), restore.LatentPicture(z, l.W, l.H, 0, 3)); err != nil {
			return err
		}
		if err := add(seriesPath(o.explain, "sample", i, ".png"), r.Samples[i]); err != nil {
			return err
		}
	}
	if r.Mean != nil {
		if err := one("mean", r.Mean); err != nil {
			return err
		}
	}
	if r.Std != nil {
		return one("std", picture.FromStd(r.Std, l.W, l.H))
	}
	return nil
}
