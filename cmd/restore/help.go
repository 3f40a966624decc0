package main

import (
	"fmt"
	"strings"

	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/raw"
)

// indented indents the lines of a list for help texts.
func indented(list string) string {
	return "  " + strings.ReplaceAll(list, "\n", "\n  ") + "\n"
}

func mainHelp() string {
	var b strings.Builder
	b.WriteString(`restore repairs photographs in one step of a network, on any GPU with Vulkan or on the CPU (with Mesa's lavapipe).

usage:
  restore -task T [flags] in out     restore the picture in the file in and write it to the file out;
                                     - is stdin or stdout
  restore -task T [flags] dir out    restore the pictures of the folder dir and write them to the
                                     folder out, under the same names
  restore -weights NET.onnx [flags] in out   the same with a network of others
  restore COMMAND [flags] ...        run one of the commands below; restore help COMMAND describes it

Pictures that can be read: PNG, JPEG, TIFF (the first page), WebP and DNG with a Bayer mosaic, which is
developed to 16 bits. The content decides, not the name. Other camera raw files, animations and HDR
pictures are refused. Pictures that can be written: PNG, JPEG and TIFF, by the ending of the name (.png,
.jpg, .jpeg, .tif, .tiff). Grey, 16 bits, transparency, colour space, EXIF, XMP and IPTC are kept, the
orientation is applied, thumbnails are removed. One line lists what else cannot be kept. Flags may come
before or after the names; after -- everything is a name. An output is written whole or not at all.

tasks:
` + taskHelp() + `  auto              do what restore inspect recommends; a picture without faults is copied. It does not
                    look for missing pixels or small size

flags:
  -task T           what is wrong with the picture (required)
  -mask FILE        inpaint only: a picture of the same size, white where pixels are missing
  -noise N|auto     standard deviation of the noise in 8-bit levels (0 to 127.5). auto, the default,
                    estimates it; for denoise at four scales, for luminance and chroma, in dark and
                    bright parts. N means white noise. The networks were trained up to about 13, for
                    denoise up to 51; stronger noise is treated like that
  -strength S       denoise only: share of the noise that is removed, 0 to 1 (default 1; less keeps some
                    grain). Two numbers separated by a comma are for luminance and for chroma
  -gain G           camera raw files (DNG) only: gain of the sensor in levels of the file per electron,
  -read-noise R       and standard deviation of its read noise in levels, instead of what the file says.
                      The noise of the developed picture follows from them; without them and without
                      values in the file it is estimated (see -noise)
  -mosaic LAYOUT    the input is the plain mosaic of a sensor, without a header. LAYOUT describes it, as
                    name=value separated by commas: size=1920x1080,bits=10,packing=mipi,pattern=grbg,black=64.
                    The list is below
  -linear           camera raw files only: write linear light in 16 bits with a profile that says so,
                    instead of a picture with a tone curve
  -blur S|auto      gaussian-deblur only: S is the standard deviation of the blur in pixels (the network was
                    trained for 3), or disc:R, the radius of a disc, or none. auto, the default, estimates it
                    (Gaussians of 0.6 to 6 pixels, discs of 1.2 to 8). A picture that is sharp, or whose blur
                    cannot be estimated, is only denoised
  -kernel FILE      motion-deblur only: the blur kernel, if it is known: a picture of at most 129 pixels a
                    side that shows the image of a point of light, white on black
  -kernel-out FILE  motion-deblur only: write a picture of the kernel that was found; if the blur varies, one
                    kernel per window
  -expected         inpaint only: fill wide holes with the mean of what may be there, the network's z = μ,
                    which is smooth. By default holes of more than 12 pixels across are filled with patches
                    of the picture itself
  -seed S           seed of the random numbers (default 0): same seed, same pictures, on any device
  -steps K          steps of the flow map (default 1, which the networks are trained for; at most 1000)
  -times T0,T1,...  instead of -steps: the times of the steps, falling from 1 (noise) to 0 (picture)
  -ensemble N       mean of the results in N of the picture's eight orientations (1, 2, 4 or 8): N times the
                    work for 0.1 to 0.2 dB more
  -project          inpaint and gaussian-deblur (of a blur of 3) only: make the result agree with the input,
                    noise included (the projection Aᵀy + (I − AᵀA)x)
  -quality Q        of JPEG output, 1 to 100 (default 95). Below 95 the resolution of colour is halved if it
                    is halved in the input
  -salvage          restore what is there of JPEG and PNG files that are cut off or damaged; the exit status
                    is then 2
  -max-megapixels N  refuse larger pictures before memory is allocated (default 1000)

  -samples N        also draw N pictures from the posterior (at most 1000), for:
  -mean FILE          their mean
  -std FILE           their standard deviation per pixel as a grey picture: black is certain, each 8-bit level
                      of deviation is four grey levels, white is 63.75 or more
  -samples-dir DIR    all of them, as sample-001, sample-002, ... in the format of out
  -explain DIR        pictures of the method, as PNG: the proposal's mean mu (grey is 0, white 3 standard
                      deviations of the prior) and deviation sigma (white is 1); with -samples every z and sample,
                      mean and std; for motion blur the kernel as -kernel-out writes it, or, in strong noise, its
                      posterior mean, which is symmetric under half a turn
  -report FILE        one HTML file: before and after under a slider and, with -samples, maps of uncertainty and
                      the samples
  -temperature T      spread of the samples (default 1; 0 makes them equal)

  -device D         index or part of the name of a device of restore devices; default: the environment
                    variable VFM_DEVICE, else the fastest kind (discrete, integrated, virtual, CPU)
  -weights FILE     a .vfm file to use instead of the weights in this program, or an ONNX file (.onnx) with a network
                    from picture to picture ([1,3,H,W] to [1,3,s·H,s·W]). With such a network leave out -task; flags
                    about samples, noise, blur and masks have no meaning then
  -range R          of the ONNX network's pictures: 0..1, 0..255, -1..1, or auto, the default: what the file says
                    (metadata restore.range), else 0..1
  -halo N|auto      pixels around a tile that the ONNX network reads. auto, the default, finds them in the file; a
                    network that reads the whole picture needs a number to be used in tiles, which then differ a little
  -tile N           work in tiles of N pixels plus the margin that they need (16 to 16384); 0, the default,
                    chooses by the device's memory. The result is the same up to rounding
  -threads N        threads of the CPU to use, also by Mesa's software driver (default: one per core)
  -pace P           share of the device's time to use, above 0 to 1 (default 1): the device rests after every
                    tile or frame, for other programs or to cool down
  -precision P      of the network's numbers in the device's memory: fp32, fp16 (half the memory traffic; differs
                    by hundredths of a decibel), or auto, the default: fp16 on GPUs that support it
  -overwrite        allow the output to be the input itself, also through a link; without it this is refused.
                    For folders see below
  -no-links         refuse an input or mask that is a symbolic link, or whose path goes through a link out of its
                    folder; in folders, every picture, mask and folder that is a link. Without it links are
                    followed, also out of the folder
  -v                print to stderr: the device, the noise and the blur found, and the time taken
  -validation       use the Vulkan validation layer (for bug reports; slow)

folders:
  -r                also the folders below
  -overwrite        restore again what is in the output folder already; without it that is skipped
  -jobs N           pictures in work at a time, so that reading and writing overlap with the device (default 2)
  -format png|jpg|tif  of all outputs, instead of the format of each input; WebP and DNG become PNG (also for
                       stdout: default png)
  -mask DIR         inpaint: a folder of masks, PNG files with the names of the pictures; a single file is used for
                    all
  -shard I/N        restore every N-th picture only, beginning with number I (from 0), so that N machines can share a
                    folder. auto/N takes I from the environment of an indexed job (Kubernetes, Slurm, AWS Batch)
  A picture that cannot be restored is reported on stderr, and the others go on; the exit status is then 2. So are
  folders that cannot be read, files that are not regular, and pictures whose outputs would have the same name. The
  number of pictures in formats that cannot be read is printed to stderr, with -v that of all other files. A link to
  a folder is treated as a folder. Each folder is visited once.

  -json             print a line of JSON for every picture: in, out, status, error, width, height, noise (8-bit
                    levels), noise_shape, blur, motion_blur, seconds. Bytes of names that are not UTF-8 become
                    \udc80 to \udcff, as in Python's surrogateescape

values of -mosaic:
` + indented(raw.LayoutUsage) + `
commands:
`)
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-10s        %s\n", c.name, c.summary)
	}
	b.WriteString(`
exit status: 0 done; 1 failed, one line on stderr says why; 2 mistake in the command line, or some pictures of a folder
failed, or a file did not hold all of its picture (-salvage); 3 no Vulkan on this machine

examples:
  restore -task motion-deblur shaken.jpg sharp.jpg
  restore -task inpaint -mask scratches.png -noise 0 old.png new.png
  restore -task denoise -r photos/ clean/
  curl -s example.org/in.jpg | restore -task denoise -format jpg - - > out.jpg
  restore -task super-resolve -samples 10 -mean mean.png -std doubt.png small.png large.png
`)
	return b.String()
}

const degradeHelp = `restore degrade makes a test picture: it degrades a clean one in the way that a task undoes, with random blur or
missing pixels, and adds noise.

usage: restore degrade -task T [flags] clean.png bad.png

  -task T           motion-deblur, gaussian-deblur, denoise, super-resolve (bad has a quarter of the width and
                    height), inpaint-random, inpaint-box, inpaint (one of these two, half of the time each)
  -noise N          standard deviation of the noise in 8-bit levels (default 6.375, the paper's 0.05 of [-1, 1])
  -camera SPEC      denoise only, instead of -noise: simulate a camera. SPEC is name=value separated by commas, for
                    example iso=3200,jpeg=85; the list is below
  -clean-out FILE   with -camera: also write the camera's picture without noise and compression
  -seed S           of the random numbers (default 0)
  -scale S          motion-deblur only: shrink the kernel to this share of its 61×61 pixels, above 0 and at most 1 (default 1)
  -mask-out FILE    inpaint only: write the mask, white where pixels are missing, for restore -mask
  -quality Q        of JPEG output, 1 to 100 (default 95; PNG is better here, as JPEG adds errors of its own)
  -overwrite        allow bad.png to be clean.png itself; without it this is refused

values of -camera:
` + camera.Usage + "\n"

const sampleHelp = `restore sample draws pictures from the prior, without an input: the flow map applied to pure noise.

usage: restore sample [flags] out.png

  -size WxH         of the pictures, in pixels (default 256x256)
  -n N              how many (default 1, at most 1000); more than one become out-001.png, out-002.png, ...
  -steps K          steps of the flow map (default 1, at most 1000)
  -times T0,T1,...  instead of -steps: the times of the steps, falling from 1 (noise) to 0 (picture)
  -temperature T    spread of the noise (default 1)
  -seed S           of the random numbers (default 0)
  -quality Q        of JPEG output, 1 to 100 (default 95)
  -device D         as for restore
  -weights FILE     a .vfm file to use instead of the embedded weights
`

const compareHelp = `restore compare prints how similar two pictures of one size are: PSNR in dB (higher is more similar; over all channels,
peak 255) and SSIM (1 is equal).

usage: restore compare a.png b.png
`

const devicesHelp = `restore devices lists the Vulkan devices of this machine as "index: name (kind, Vulkan version, driver)". -device takes
the index or a part of the name.

usage: restore devices [-v]

  -v    also print subgroup size, memory and optional features
`

const benchHelp = `restore bench measures how fast a device runs the kernels and the whole network, in GFLOP/s and as a share of the speed of a
loop of multiply-adds on the same device in the same run.

usage: restore bench [-device D] [-weights FILE] [-size N] [-precision P] [-train=false] [-json]

  -device D         as for restore
  -weights FILE     measure the network of this file instead of the embedded one
  -size N           side of the square picture, in pixels (default 256)
  -precision P      fp32, fp16 or auto, as for restore; software drivers always use fp32
  -json             print everything as one JSON object
  -train=false      leave out the training step, whose kernels take long to build for the first time
`

const weightsHelp = `restore weights describes or checks the weights in this program, or a .vfm or .safetensors file.

usage: restore weights info [FILE]      network, size, arithmetic, tasks, training runs, data and its attribution;
                                       of an .onnx file what restore -weights makes of it
       restore weights verify [FILE]    whether the file is complete, undamaged and fits the network: exit status 0 or 1
`

const versionHelp = `restore version prints the version of this program and the metadata of its weights: network, tasks, training and data.

usage: restore version [-weights FILE]

  -weights FILE     describe this .vfm file instead of the embedded weights
`
