package trainhost

import (
	"fmt"
	"slices"
	"strings"
)

// Table writes scores as a Markdown table. With several draws, the lowest and the highest PSNR
// follow the mean of z = μ.
func Table(scores []Score) string {
	var b strings.Builder
	b.WriteString("| task | input | z = μ | SSIM | sample | SSIM | mean | SSIM | CRPS | 90 % interval covers | std / error | corr |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, s := range scores {
		fmt.Fprintf(&b, "| %s | %.2f | **%.2f**", s.Task, s.Input, s.Mode)
		if len(s.ModeDraws) > 1 {
			fmt.Fprintf(&b, " (%.2f–%.2f)", slices.Min(s.ModeDraws), slices.Max(s.ModeDraws))
		}
		fmt.Fprintf(&b, " | %.3f |", s.ModeSSIM)
		if s.Mean == 0 {
			b.WriteString(" – | – | – | – | – | – | – | – |\n")
			continue
		}
		fmt.Fprintf(&b, " %.2f | %.3f | %.2f | %.3f | %.4f | %.1f %% (calibrated: %.1f %%) | %.3f / %.3f | %.2f |\n",
			s.Sample, s.SampleSSIM, s.Mean, s.MeanSSIM, s.CRPS, 100*s.Coverage, 100*s.Expected, s.Std, s.Error, s.Corr)
	}
	for _, s := range scores {
		if s.LumaMode != 0 {
			fmt.Fprintf(&b, "\n%s: PSNR of luminance %.2f → %.2f dB; between input and result %.1f dB, least %.1f\n", s.Task, s.LumaInput, s.LumaMode, s.Itself, s.ItselfWorst)
		}
	}
	return b.String()
}
