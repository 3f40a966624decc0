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

// parseBlur reads the value of -blur; auto gives nil.
func parseBlur(s string) (*defocus.Blur, error) {
	if strings.EqualFold(strings.TrimSpace(s), "auto") {
		return nil, nil
	}
	b, err := defocus.Parse(s)
	if err != nil {
		return nil, errors.New("give a standard deviation of at most 8 pixels, such as 2.5, the radius of a disc of at most 12, such as disc:4, none, or auto")
	}
	return &b, nil
}

// defocusInfo is what is told about a picture's defocus in JSON.
type defocusInfo struct {
	Verdict string  `json:"verdict"`         // blurred, sharp or untold
	Shape   string  `json:"shape,omitempty"` // gaussian or disc
	Width   float64 `json:"width,omitempty"` // standard deviation or radius, in pixels
	Given   bool    `json:"given"`           // by -blur
	Sharp   float64 `json:"sharp"`           // belief that the picture is sharp, 0 to 1
	Spread  float64 `json:"spread"`          // standard deviation of the logarithm of the width
}

// defocusOf is nil for tasks other than gaussian-deblur.
func defocusOf(r *restore.Result) *defocusInfo {
	if r.Task != task.GaussianDeblur || r.Blur == nil {
		return nil
	}
	b := r.Blur
	info := &defocusInfo{Verdict: b.Verdict.String(), Given: b.Given, Sharp: b.Certainty.Sharp, Spread: b.Certainty.Spread}
	if b.Defocus.Shape != defocus.None {
		info.Shape, info.Width = b.Defocus.Shape.String(), b.Defocus.Width
	}
	return info
}

// found says what was found before anything was done.
func (d *defocusInfo) found() string {
	switch {
	case d.Shape == "" && d.Verdict == blind.Sharp.String():
		return "none"
	case d.Shape == "":
		return "cannot be told"
	case d.Shape == "disc":
		return fmt.Sprintf("a disc of radius %.2f pixels, within %.0f %%", d.Width, 100*d.Spread)
	}
	return fmt.Sprintf("a Gaussian of standard deviation %.2f pixels, within %.0f %%", d.Width, 100*d.Spread)
}

// defocusText says in words what was found of a picture's defocus; "" for tasks other than gaussian-deblur.
func defocusText(r *restore.Result) string {
	info := defocusOf(r)
	if info == nil {
		return ""
	}
	how := "found"
	if info.Given {
		how = "as told"
	}
	switch r.Blur.Verdict {
	case blind.Sharp:
		return "none, " + how + "; the picture was denoised at most"
	case blind.Untold:
		return "cannot be told; the picture was denoised at most (-blur S tells it)"
	}
	if info.Shape == "disc" {
		return fmt.Sprintf("a disc of radius %.2f pixels, %s", info.Width, how)
	}
	return fmt.Sprintf("a Gaussian of standard deviation %.2f pixels, %s", info.Width, how)
}
