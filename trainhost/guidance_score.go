package trainhost

import (
	"math"

	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/restore/planar"
)

// GuidanceScore is the quality of a method's samples for one task: means over the pictures.
type GuidanceScore struct {
	PSNR, SSIM         float64 // of one sample, and
	MeanPSNR, MeanSSIM float64 // of the mean of all samples; PSNR in dB
	CRPS               float64 // eq. 98, per pixel value
	Coverage           float64 // share of true values inside the samples' 90 % interval
	Expected           float64 // of a calibrated ensemble of this size
	// Diversity is the root mean square of the samples' standard deviation, Error that of the error
	// of their mean. A calibrated ensemble of many samples has equal ones.
	Diversity, Error float64
}

// scoreSamples scores the samples of every case, of which there are at least two.
func scoreSamples(cases []guidanceCase, samples [][]*planar.Image) (s GuidanceScore, err error) {
	n := float64(len(cases))
	for i, c := range cases {
		mean, _, err := metric.Moments(samples[i])
		if err != nil {
			return s, err
		}
		for _, m := range []struct {
			x          *planar.Image
			psnr, ssim *float64
		}{{samples[i][0], &s.PSNR, &s.SSIM}, {mean, &s.MeanPSNR, &s.MeanSSIM}} {
			v, err := metric.PSNR(c.truth, m.x)
			if err != nil {
				return s, err
			}
			*m.psnr += v / n
			if v, err = metric.SSIM(c.truth, m.x, 2); err != nil {
				return s, err
			}
			*m.ssim += v / n
		}
		crps, err := metric.ImageCRPS(c.truth, samples[i], false)
		if err != nil {
			return s, err
		}
		cover, err := metric.Coverage(c.truth, samples[i], 0.9)
		if err != nil {
			return s, err
		}
		spread, err := metric.SpreadError(c.truth, samples[i])
		if err != nil {
			return s, err
		}
		s.CRPS += crps / n
		s.Coverage += cover / n
		s.Diversity += spread.Std * spread.Std / n
		s.Error += spread.Error * spread.Error / n
	}
	s.Diversity, s.Error = math.Sqrt(s.Diversity), math.Sqrt(s.Error)
	s.Expected = metric.ExpectedCoverage(len(samples[0]), 0.9)
	return s, nil
}

// fairCRPS is the CRPS without its dependence on the number of samples, for the search.
func fairCRPS(cases []guidanceCase, samples [][]*planar.Image) (sum float64, err error) {
	for i, c := range cases {
		v, err := metric.ImageCRPS(c.truth, samples[i], true)
		if err != nil {
			return 0, err
		}
		sum += v / float64(len(cases))
	}
	return sum, nil
}
