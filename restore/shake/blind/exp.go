package blind

import (
	"context"
	"fmt"
	"math"

	"github.com/vfmrestore/restore/restore/task"
)

func Exp(y *Plane, n int, t Tune) (*task.Kernel, float64) {
	k, l, err := EstimateVB(context.Background(), y, n, t, func(s int, k *kernel, l *level) {
		fmt.Printf("  scale %d n %d noise %.4f F %.4f power %.4f\n", s, k.n, math.Sqrt(l.lambda), l.freeEnergy(), k.power())
	})
	if err != nil {
		panic(err)
	}
	return k.export(), l.freeEnergy()
}

func ExpBoth(y *Plane, n int, e EdgeTune, t Tune) (*task.Kernel, float64) {
	k, _, err := EstimateEdges(context.Background(), y, n, e, t.Verbose)
	if err != nil {
		panic(err)
	}
	k, f := refineVB(y, k, t, t.RefineNoise, t.Verbose)
	return k.export(), f
}
