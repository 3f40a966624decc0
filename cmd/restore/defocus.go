package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/defocus"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/task"
)

// parseBlur reads the value of -blur. It is nil for auto.
func parseBlur(s string) (*defocus.Blur, error) {
	if strings.EqualFold(strings.TrimSpace(s), "auto") {
		return nil, nil
	}
	b, err := defocus.Parse(s)
	if err != nil {
		return nil, errors.New("give a standard deviation of at most 8 pixels (2.5), the radius of a disc of at most 12 (disc:4), none, or auto")
	}
	return &b, nil
}

// defocusInfo is what -json prints about defocus.
type defocusInfo struct {
	Verdict string  `json:"verdict"`         // blurred, sharp or untold
	Shape   string  `json:"shape,omitempty"` // gaussian or disc
	Width   float64 `json:"width,omitempty"` // standard deviation or radius, in pixels
	Given   bool    `json:"given"`           // by -blur
	Sharp   float64 `json:"sharp"`           // probability that the picture is sharp, 0 to 1
	Spread  float64 `json:"spread"`          // standard deviation of the logarithm of the width
}

// defocusOf is nil for tasks other than gaussian-deblur.
func defocusOf(r *restore.Result) *defocusInfo {
	if !r.Task.Takes(task.OptionBlur) || r.Blur == nil {
		return nil
	}
	b := r.Blur
	info := &defocusInfo{Verdict: b.Verdict.String(), Given: b.Given, Sharp: b.Certainty.Sharp, Spread: b.Certainty.Spread}
	if b.Defocus.Shape != defocus.None {
		info.Shape, info.Width = b.Defocus.Shape.String(), b.Defocus.Width
	}
	return info
}

// summary describes the blur before anything was done.
func (d *defocusInfo) summary() string {
	switch {
	case d.Shape == "" && d.Verdict == blind.Sharp.String():
		return "none"
	case d.Shape == "":
		return "unknown"
	case d.Shape == "disc":
		return fmt.Sprintf("a disc of radius %.2f pixels, within %.0f %%", d.Width, 100*d.Spread)
	}
	return fmt.Sprintf("a Gaussian of standard deviation %.2f pixels, within %.0f %%", d.Width, 100*d.Spread)
}

// defocusText describes the defocus and what was done. It is "" for tasks other than
// gaussian-deblur.
func defocusText(r *restore.Result) string {
	info := defocusOf(r)
	if info == nil {
		return ""
	}
	how := "found"
	if info.Given {
		how = "as given"
	}
	switch r.Blur.Verdict {
	case blind.Sharp:
		return "none, " + how + "; the picture was denoised at most"
	case blind.Untold:
		return "unknown; the picture was denoised at most (-blur S sets it)"
	}
	if info.Shape == "disc" {
		return fmt.Sprintf("a disc of radius %.2f pixels, %s", info.Width, how)
	}
	return fmt.Sprintf("a Gaussian of standard deviation %.2f pixels, %s", info.Width, how)
}
