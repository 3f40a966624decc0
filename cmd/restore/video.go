package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vfmrestore/restore/internal/atomicfile"
	"github.com/vfmrestore/restore/internal/threads"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/frame"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/restore/y4m"
)

const videoHelp = `restore video restores the frames of uncompressed video (YUV4MPEG2, .y4m). - is stdin or stdout.

usage: restore video -task T [flags] in.y4m out.y4m

  ffmpeg -v error -i in.mp4 -f yuv4mpegpipe -strict -1 - | restore video -task denoise - - |
    ffmpeg -v error -i - -colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv out.mp4

Video must be progressive: 4:2:0, 4:2:2, 4:4:4 or grey, 8 to 16 bits per sample. The output has the same format, for
super-resolve four times as wide and high. All frames come out, in order. The memory in use is constant.

  -task T           as for restore (required); gaussian-deblur assumes a standard deviation of 3 pixels
  -mask FILE        inpaint only: a picture of the frames' size, white where pixels are missing in all frames
  -noise N|auto     as for restore; auto, the default, estimates it in every frame and averages it over about eight
  -mosaic LAYOUT    the input is not Y4M but frames of a sensor, one after another, as for restore -mosaic (restore help lists
                    the values of LAYOUT); out is 4:2:0 of 8 bits
  -gain G           gain of the sensor and
  -read-noise R       its read noise, as for restore; the noise of the developed frames is measured in the first frame
                      and in every 64th
  -fps R            with -mosaic: frames per second in the header of out, such as 25 (default) or 30000/1001
  -single           denoise only: restore every frame by itself. Without it a frame is averaged with earlier ones along the motion
  -frames N         frames in work at a time, 1 to 64 (default 3)
  -matrix M         601, 709 or 2020: the colour matrix, which Y4M does not hold (default: 709 from 720 rows on, else 601, for
                    in and for out by their heights; if given, it holds for both)
  -device D         as for restore
  -weights FILE     a .vfm file to use instead of the weights in this program
  -tile N           as for restore
  -threads N        as for restore
  -pace P           as for restore
  -overwrite        allow out.y4m to be in.y4m itself; without it this is refused
  -v                print to stderr: the device, the frames per second and the time of a frame
  -validation       use the Vulkan validation layer (for bug reports; slow)
`

// video is the input.
type video struct {
	y4m.Header
	frames frameReader
	raw    *restore.RawFormat // of its frames; nil: as Header says
}

// video restores the frames of a video.
func (a *app) video(args []string) (err error) {
	fs := flagSet("video")
	o := options{noise: noise{auto: true}}
	var t taskFlag
	var matrix *frame.Matrix
	fs.Var(&t, "task", "")
	fs.StringVar(&o.mask, "mask", "", "")
	fs.Var(&o.noise, "noise", "")
	o.raw.defineSensor(fs)
	rate := ""
	fs.Func("fps", "", func(s string) (err error) { rate, err = parseRate(s); return err })
	frames := fs.Int("frames", 3, "")
	single := fs.Bool("single", false, "")
	fs.Func("matrix", "", func(s string) error {
		m, ok := map[string]frame.Matrix{"601": frame.BT601, "709": frame.BT709, "2020": frame.BT2020}[s]
		if !ok {
			return errors.New("give 601, 709 or 2020")
		}
		matrix = &m
		return nil
	})
	fs.StringVar(&o.device, "device", "", "")
	fs.StringVar(&o.weights, "weights", "", "")
	fs.IntVar(&o.tile, "tile", 0, "")
	o.loadFlags(fs)
	fs.BoolVar(&o.verbose, "v", false, "")
	fs.BoolVar(&o.overwrite, "overwrite", false, "")
	fs.BoolVar(&o.validation, "validation", false, "")
	names, err := a.parse(fs, args, videoHelp)
	if err != nil {
		return err
	}
	if err := t.require(); err != nil {
		return err
	}
	o.task = t.task
	given := []givenOption{{task.OptionMask, o.mask != ""}, {task.OptionSingle, *single}}
	switch {
	case len(names) != 2:
		return usagef("give one video to read and one to write, not %d names", len(names))
	case *frames < 1 || *frames > 64:
		return usagef("-frames %d is not from 1 to 64", *frames)
	case o.task.Takes(task.OptionMask) && o.mask == "":
		return usagef("task %v needs -mask, a picture that is white where pixels are missing", o.task)
	case checkTaskOptions(o.task, given) != nil:
		return checkTaskOptions(o.task, given)
	case o.tile != 0 && (o.tile < minTile || o.tile > maxTile):
		return usagef("-tile %d is not 0 (chosen by memory) or from %d to %d", o.tile, minTile, maxTile)
	case o.checkLoad() != nil:
		return o.checkLoad()
	case o.raw.layout == nil && (rate != "" || o.raw.given()):
		return usagef("-fps, -gain and -read-noise are for frames of a sensor and need -mosaic")
	case o.checkRawOptions() != nil:
		return o.checkRawOptions()
	case names[1] == "-" && a.outTerminal:
		return usagef("the video would be printed on the terminal; redirect stdout to a file or a program")
	}
	if err := threads.Limit(o.threads); err != nil {
		return err
	}
	files := &fileUses{}
	files.read("the input", names[0])
	files.read("-mask", o.mask)
	files.read("-weights", o.weights)
	files.write("the output", names[1])
	if err := files.check(o.overwrite); err != nil {
		return err
	}
	in, err := waitFor(a.ctx, func() (v video, err error) {
		src := a.in
		if names[0] != "-" {
			f, err := os.Open(names[0]) // open until the program ends
			if err != nil {
				return v, err
			}
			src = f
		}
		if o.raw.layout != nil {
			v.frames = &mosaicReader{layout: o.raw.layout, r: bufio.NewReaderSize(src, 1<<16)}
			v.Header, v.raw = o.raw.video(cmp.Or(rate, "25:1"))
			return v, nil
		}
		y, err := y4m.NewReader(src)
		if err == nil {
			v.Header, v.frames = y.Header, y
		}
		return v, err
	})
	if a.ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if err != nil {
		return pathError(displayName(names[0], "stdin"), err)
	}
	if matrix != nil {
		in.Format.Matrix = *matrix
	}
	out := in.Header
	out.W, out.H = out.W*o.task.Scale(), out.H*o.task.Scale()
	if matrix == nil {
		out.Format.Matrix = y4m.MatrixFor(out.H) // readers go by its height
	}
	cfg := restore.StreamConfig{Task: o.task, Noise: o.noiseLevel(), W: in.W, H: in.H, In: in.Format, Raw: in.raw, Out: out.Format, InFlight: *frames, Temporal: o.task.Takes(task.OptionSingle) && !*single}
	if o.mask != "" {
		cfg.Mask, err = waitFor(a.ctx, func() ([]bool, error) { return picture.DecodeMaskFile(o.mask, in.W, in.H, picture.Limits{}) })
		if a.ctx.Err() != nil {
			return errors.New("interrupted")
		}
		if err != nil {
			return err
		}
	}
	dst, finish, err := a.videoOut(names[1])
	if err != nil {
		return err
	}
	defer func() { err = finish(err) }()
	model, err := a.open(&o, false)
	if err != nil {
		return err
	}
	defer model.Close()
	return a.frames(model, cfg, in.frames, out, dst, names, o.verbose)
}

func displayName(path, dash string) string {
	if path == "-" {
		return dash
	}
	return path
}

// videoOut opens the output. finish must be called with the error of the work: a file then gets its
// name, or is removed.
func (a *app) videoOut(path string) (w *bufio.Writer, finish func(error) error, err error) {
	if path == "-" {
		w = bufio.NewWriterSize(a.out, 1<<20)
		return w, func(err error) error {
			if e := w.Flush(); err == nil && e != nil {
				return fmt.Errorf("stdout: %w", e)
			}
			return err
		}, nil
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return nil, nil, err
	}
	w = bufio.NewWriterSize(f, 1<<20)
	return w, func(err error) error {
		defer f.Abort() // does nothing after Commit
		if err == nil {
			err = w.Flush()
		}
		if err == nil {
			err = f.Sync()
		}
		if err == nil {
			err = f.Commit()
		}
		return err
	}, nil
}

// frames sends all frames through a stream: one goroutine reads, this one writes.
func (a *app) frames(model *restore.Model, cfg restore.StreamConfig, in frameReader, head y4m.Header, dst *bufio.Writer, names []string, verbose bool) error {
	s, err := model.NewStream(cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	readError := make(chan error, 1)
	go func() {
		buf := make([]byte, s.InSize())
		for {
			err := in.Read(buf)
			if err == nil {
				err = s.Submit(ctx, buf)
			}
			if err == nil {
				continue
			}
			if errors.Is(err, io.EOF) {
				err = nil
			}
			readError <- err
			s.End() // frames in work still come out
			return
		}
	}()
	out, err := y4m.NewWriter(dst, head)
	if err != nil {
		return fmt.Errorf("%s: %w", displayName(names[1], "stdout"), err)
	}
	buf, began, n := make([]byte, s.OutSize()), time.Now(), 0
	for {
		_, err := s.Receive(ctx, buf)
		if err == io.EOF {
			break
		}
		if errors.Is(err, context.Canceled) {
			return errors.New("interrupted")
		}
		if err != nil {
			return err
		}
		err = out.Write(buf)
		if err == nil && names[1] == "-" {
			err = dst.Flush() // the reader of the pipe need not wait
		}
		if err != nil {
			return fmt.Errorf("%s: %w", displayName(names[1], "stdout"), err)
		}
		n++
		if a.terminal {
			fmt.Fprintf(a.err, "\rframe %d, %.2f per second\x1b[K", n, float64(n)/time.Since(began).Seconds())
		}
	}
	if a.terminal && n > 0 {
		fmt.Fprint(a.err, "\r\x1b[K")
	}
	if err := <-readError; err != nil {
		if errors.Is(err, context.Canceled) {
			return errors.New("interrupted")
		}
		return fmt.Errorf("%s: %w", displayName(names[0], "stdin"), err)
	}
	if verbose {
		l := s.Latency()
		fmt.Fprintf(a.err, "%d frames, %.2f per second; time of a frame: median %.0f ms, 95 %% within %.0f ms, at most %.0f ms\n", n,
			float64(n)/time.Since(began).Seconds(), 1e3*l.P50.Seconds(), 1e3*l.P95.Seconds(), 1e3*l.Max.Seconds())
	}
	return nil
}
