package restore

// programKind is one of the device programs. All work on a tile of w×h pixels; in flow space that
// is a tensor of sites, [1, h/4, w/4, 48].
type programKind uint8

const (
	// view [1,3,h,w], known [1,1,h,w], task, sigma (and noise, if the network reads its shape)
	// → mu, logvar, and the picture f(mu) [1,3,h,w] in one step
	programWhole programKind = iota + 1
	// the same → mu, and the picture
	programPicture
	// view, known, task, sigma → mu, logvar
	programAdapter
	// view, known, task, sigma → mu
	programMu
	// programMu whose mu stays on the device
	programMuToBand
	// programFlow whose z is on the device already
	programFlowFromBand
	// mu, logvar, key, temperature → z = mu + temperature·exp(logvar/2)·ε
	programDraw
	// the same, and white, coarse → z = mu + temperature·exp(logvar/2)·(white·ε + coarse)
	programDrawScales
	// z → the picture f(z) in one step
	programFlow
	// x, r, t → x − (t−r)·u(x, r, t), in flow space and as a picture
	programStep
	// one of package motionblur's
	programMotionBlur

	// secondViewFlag is added to a program with the adapter that has one more input, the second
	// view: guess [1,3,h,w].
	secondViewFlag programKind = 1 << 7
)

var programNames = [...]string{
	programWhole: "whole", programPicture: "picture", programAdapter: "adapter", programMu: "mu",
	programMuToBand: "mu to band", programFlowFromBand: "flow from band", programDraw: "draw",
	programDrawScales: "draw in scales", programFlow: "flow", programStep: "step",
	programMotionBlur: "motion blur",
}

// String returns the program's name, for messages.
func (k programKind) String() string {
	name := programNames[k&^secondViewFlag]
	if k&secondViewFlag != 0 {
		name += " with second view"
	}
	return name
}

// withSecondView returns the program, one with the adapter, that also reads a second view if there
// is one.
func (k programKind) withSecondView(exists bool) programKind {
	if exists {
		return k | secondViewFlag
	}
	return k
}

// onDevice returns the inputs and outputs that stay on the device.
func (k programKind) onDevice() (inputs []string, outputs []int) {
	switch k &^ secondViewFlag {
	case programMuToBand:
		return nil, []int{outMu}
	case programFlowFromBand:
		return []string{"z"}, nil
	}
	return nil, nil
}

// Indices of the outputs of programWhole, programAdapter, programMu (the first one) and
// programStep.
const (
	outMu, outLogVar, outPicture = 0, 1, 2
	outOnlyPicture               = 1 // of programPicture
	outStep, outStepPicture      = 0, 1
)
