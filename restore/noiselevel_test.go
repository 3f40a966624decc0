package restore

import (
	"testing"

	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/task"
)

// A given level means noise of luminance alone if the picture is grey, whether its file says so or
// not.
func TestGivenNoiseOfGreyPicture(t *testing.T) {
	rnd := newRand(t)
	p := randomPicture(rnd, 40, 36)
	if got := whiteNoise(p, 20); got != noise.White(task.Sigma(20)) {
		t.Errorf("a picture in colour: %v", got)
	}
	n := p.W * p.H
	for c := 1; c < 3; c++ {
		copy(p.Pix[c*n:(c+1)*n], p.Pix[:n])
	}
	want := noise.Grey(task.Sigma(20))
	if got := whiteNoise(p, 20); got != want {
		t.Errorf("three channels that are the same: %v", got)
	}
	p.Pix[2*n+17] += 0.01
	if got := whiteNoise(p, 20); got == want {
		t.Error("a single pixel with colour does not count")
	}
	p.Gray = true
	if got := whiteNoise(p, 20); got != want {
		t.Errorf("a grey picture: %v", got)
	}
}
