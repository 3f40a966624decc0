package main

import (
	"fmt"
	"strings"

	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/raw"
)

// indented is a list of lines as help texts have it.
func indented(list string) string {
	return "  " + strings.ReplaceAll(list, "\n", "\n  ") + "\n"
}

func mainHelp() string {
	var b strings.Builder
	b.WriteString(`restore repairs photographs in one network step on any GPU that speaks Vulkan (or on the CPU, with Mesa's lavapipe).

usage:
  restore -task T [flags] in out     restore the picture in the file in, write it to the file out; - is stdin or stdout
  restore -task T [flags] dir out    restore the pictures in the folder dir into the folder out, under the same names
  restore COMMAND [flags] ...        one of the commands below; restore help COMMAND tells more

Pictures are PNG, JPEG, TIFF (the first page), WebP or DNG by their content when read, and PNG, JPEG or TIFF by the ending of the name
(.png, .jpg, .jpeg, .tif, .tiff) when written. Grey stays grey, 16 bits stay 16, transparency, colour space, EXIF, XMP and IPTC
are kept, the orientation is applied, thumbnails are removed; what else cannot be kept is told in one line. Of camera raw files
DNG with a Bayer mosaic is developed, to 16 bits; others are refused, as are animated and HDR pictures. Flags may stand before or after the names; after -- everything
is a name. An output is written whole or not at all.

tasks:
  motion-deblur     a shaken camera
  gaussian-deblur   a blur that looks the same in all directions, as of a lens out of focus; defocus is another name
  denoise           noise, as strong as -noise says
  super-resolve     four times larger: out has 4 times the width and height of in
  inpaint           missing pixels, where the -mask is white; inpaint-random and inpaint-box say
                    which kind of hole the network shall expect, inpaint looks at the mask
  auto              what restore inspect finds, in the right order; a sound picture is copied. Holes and size are not its matter

flags:
  -task T           what is wrong with the picture (required)
  -mask FILE        inpaint only: a picture of the same size, white where pixels are missing
  -noise N|auto     standard deviation of the noise in the picture, in 8-bit levels (0 to 127.5);
                    auto, the default, finds it: for denoise its strength at four scales, for
                    luminance and chroma, in dark and bright parts. N means white noise. The networks
                    were trained up to about 13, for denoise up to 51, which more counts as
  -strength S       denoise only: share of the noise that is taken away, 0 to 1 (default 1; less keeps some
                    grain); two numbers with a comma between them are for luminance and for chroma
  -gain G           camera raw files (DNG) only: the gain of the sensor in levels of the file per electron, and
  -read-noise R       the standard deviation of its read noise in levels: in place of what the file says of its noise, by which
                      the noise of the developed picture is known; where neither says it, it is estimated (see -noise)
  -mosaic LAYOUT    the picture is a mosaic that does not say what it is, as a sensor sends it: LAYOUT tells, as name=value
                    with commas between them, for example size=1920x1080,bits=10,packing=mipi,pattern=grbg,black=64; below is the list
  -linear           camera raw files only: write linear light in 16 bits with a profile that says so, not a picture with a tone curve
  -blur S|auto      gaussian-deblur only: the standard deviation of the blur in pixels, 3 being the one that the network
                    knows, or disc:R, the radius of a disc, or none; auto, the default, finds it (Gaussians of 0.6 to 6 pixels, discs
                    of 1.2 to 8), and leaves a picture alone, but for noise, that is sharp or whose blur cannot be told
  -kernel FILE      motion-deblur only: the blur kernel, where it is known: a picture of at most 129 pixels a side that
                    shows what a point of light becomes, white on black
  -kernel-out FILE  motion-deblur only: a picture of the kernel that was found; of blur that varies one per window
  -expected         inpaint only: fill wide holes with the mean of what might be there, the network's z = μ, which is a smear;
                    by default holes of more than 12 pixels across are filled from patches of the picture itself
  -seed S           of the random numbers (default 0): same seed, same pictures, on any device
  -steps K          steps of the flow map (default 1, what the networks are made for; at most 1000)
  -times T0,T1,...  instead of -steps: the times of the steps themselves, falling from 1 (noise) to 0 (picture)
  -ensemble N       restore the picture lying in N of its eight orientations (1, 2, 4 or 8) and take the mean: N times the
                    work for 0.1 to 0.2 dB more
  -project          inpaint and gaussian-deblur (of a blur of 3) only: make the result agree with the picture given, noise included
                    (the projection Aᵀy + (I − AᵀA)x)
  -quality Q        of JPEG output, 1 to 100 (default 95). Below 95 colour is halved where the picture's own file had it halved
  -salvage          restore of JPEG and PNG files that are cut off or damaged what is there; the exit status is then 2
  -max-megapixels N  refuse larger pictures before asking for memory (default 1000)

  -samples N        also draw N pictures that may have been the true one (at most 1000), for:
  -mean FILE          their mean
  -std FILE           their standard deviation per pixel, as a grey picture: black is certain, four
                      grey levels of 255 for each 8-bit level of deviation, white from 63.75 on
  -samples-dir DIR    all of them, as sample-001, sample-002, ... in the format of out
  -explain DIR        pictures of the method, as PNG: the proposal's mean mu (grey is 0, white 3 standard deviations of the
                      prior) and deviation sigma (white is 1), and, with -samples, every z and sample, mean and std; of
                      motion blur the kernel as -kernel-out has it, or, in much noise, its posterior mean with its half-turn
  -report FILE      one HTML file to look at it all: before and after under a slider and, with -samples, the map of doubt and
                      the samples
  -temperature T      how far they spread (default 1; 0 makes them all alike)

  -device D         index or part of the name of a device of restore devices; default: the environment
                    variable VFM_DEVICE, else the fastest kind (discrete, integrated, virtual, CPU)
  -weights FILE     a .vfm file to use instead of the weights in this program
  -tile N           work in tiles of N pixels and the margin they need (16 to 16384); 0, the default,
                    chooses by the device's memory. The picture is the same whatever the tile, but for rounding
  -threads N        threads of the processor to use, also of Mesa's software driver (default: one per core)
  -pace P           share of the device's time to take, above 0 to 1 (default 1): after every tile or frame the device
                    rests for so long that the rest is left to others, or to cool down
  -precision P      of the network's numbers in the device's memory: fp32, fp16 (half the memory traffic; differs by
                    hundredths of a decibel), or auto, the default: fp16 on GPUs that can
  -overwrite        the output may be the input itself, also by a link; otherwise that is refused. (For folders see below)
  -no-links         refuse an input or mask that is a symbolic link, or whose name goes through one that leads out of the
                    folder it lies in; in folders, every picture, mask and folder that is one. Otherwise links are
                    followed, wherever they lead, also out of the folder
  -v                say on stderr which device was used, the noise and the blur found and the time taken
  -validation       switch on the Vulkan validation layer (for bug reports; slow)

folders:
  -r                look into the folders below, too
  -overwrite        do again what is in the output folder already; the default is to skip it
  -jobs N           pictures at hand at a time, so that reading and writing overlap with the device (default 2)
  -format png|jpg|tif  of all outputs, instead of that of each picture, WebP and DNG becoming PNG (also for stdout: default png)
  -mask DIR         inpaint: a folder of masks, PNG files of the pictures' names; a single file serves for all
  -shard I/N        do every N-th picture only, beginning with number I (from 0): N machines share a folder.
                    auto/N takes I from the environment of an indexed job (Kubernetes, Slurm, AWS Batch)
  A picture that cannot be restored gets its line on stderr, and the others go on; the exit status is then 2. So do folders below
  that cannot be read, files that are no regular ones, and pictures whose restorations would have one name. Pictures in formats that
  are not read are counted on stderr, with -v all other files too. A link to a folder is a folder; each is visited once.

  -json             print a line of JSON for every picture: in, out, status, error, width, height,
                    noise (8-bit levels), noise_shape, blur, motion_blur, seconds. Bytes of names that are not UTF-8 stand there as
                    \udc80 to \udcff, which Python's surrogateescape turns back

what -mosaic knows:
` + indented(raw.LayoutUsage) + `
commands:
`)
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-10s        %s\n", c.name, c.summary)
	}
	b.WriteString(`
exit status: 0 done, 1 failed (one line on stderr says why), 2 mistake in the command line, some pictures of a
folder failed, or not all of one was there (-salvage), 3 no Vulkan on this machine

examples:
  restore -task motion-deblur shaken.jpg sharp.jpg
  restore -task inpaint -mask scratches.png -noise 0 old.png new.png
  restore -task denoise -r photos/ clean/
  curl -s example.org/in.jpg | restore -task denoise -format jpg - - > out.jpg
  restore -task super-resolve -samples 10 -mean mean.png -std doubt.png small.png large.png
`)
	return b.String()
}

const degradeHelp = `restore degrade makes a test picture: it degrades a clean one as a task supposes, with random blur or holes, and adds noise.

usage: restore degrade -task T [flags] clean.png bad.png

  -task T           motion-deblur, gaussian-deblur, denoise, super-resolve (bad has a quarter of the width and height), inpaint
                    (inpaint-random or inpaint-box, half of the time each), inpaint-random, inpaint-box
  -noise N          standard deviation of the noise in 8-bit levels (default 6.375, the paper's 0.05 of [-1, 1])
  -camera SPEC      denoise only, in place of -noise: what a camera does, as name=value with commas between them,
                    for example iso=3200,jpeg=85; below is the list
  -clean-out FILE   with -camera: write what the camera would have shown without noise and compression
  -seed S           of the random numbers (default 0)
  -scale S          motion-deblur only: shrink the blur to this part of its 61×61 pixels, above 0 and at most 1 (default 1)
  -mask-out FILE    inpaint only: write the mask, white where pixels are missing, for restore -mask
  -quality Q        of JPEG output, 1 to 100 (default 95; PNG is better here, JPEG's own noise is not part of the task)
  -overwrite        bad.png may be clean.png itself; otherwise that is refused

what -camera knows:
` + camera.Usage + "\n"

const sampleHelp = `restore sample draws pictures from the prior, without any picture to restore: what the flow map makes of pure noise.

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

const compareHelp = `restore compare prints how near two pictures of one size are to each other: PSNR in dB (the higher the nearer; over all
channels, peak 255) and SSIM (1 is equal).

usage: restore compare a.png b.png
`

const devicesHelp = `restore devices lists the Vulkan devices of this machine, as: index: name (kind, Vulkan version, driver). -device takes the index
or a part of the name.

usage: restore devices [-v]

  -v    more about each: subgroup size, memory, optional features
`

const benchHelp = `restore bench measures how fast a device runs the kernels and the whole network, in GFLOP/s and as a share of what a loop of
multiply-adds reaches on the same device in the same run.

usage: restore bench [-device D] [-weights FILE] [-size N] [-precision P] [-train=false] [-json]

  -device D         as for restore
  -weights FILE     measure the network of this file instead of the embedded one
  -size N           side of the square picture, in pixels (default 256)
  -precision P      fp32, fp16 or auto, as for restore; software drivers measure fp32 whatever it says
  -json             print it all as one JSON object: to send us, or to compare
  -train=false      leave out the training step, whose kernels take long to build the first time
`

const weightsHelp = `restore weights tells about weights: those in this program, or a .vfm or .safetensors file.

usage: restore weights info [FILE]      network, size, arithmetic, tasks, training runs, data and its attribution
       restore weights verify [FILE]    whether the file is whole, unharmed and fits the network: exit status 0 or 1
`

const versionHelp = `restore version says which build this is, and the metadata of its weights: network, tasks, how and on what they were trained.

usage: restore version [-weights FILE]

  -weights FILE     tell about this .vfm file instead of the embedded weights
`
