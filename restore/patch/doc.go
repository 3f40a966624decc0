// Package patch fills wide holes of a picture with what the picture shows elsewhere.
//
// A network that was trained to come close to the truth fills what it cannot know with a mean of
// all that might be there, which is a grey smear. Here every patch of 7×7 pixels that touches a
// hole looks for the patch of the known picture that is most like it, pixels are voted for by the
// patches that cover them, and both are repeated from coarse to fine until they agree: Wexler,
// Shechtman and Irani, "Space-Time Completion of Video" (2007), with the search of Barnes et al.,
// "PatchMatch" (2009), and with coarse measures of texture beside the colours, which keep patches
// of different texture apart where the coarse picture cannot: Newson et al., "Non-Local Patch-Based
// Image Inpainting" (IPOL 2017). What stood in the hole before is where the search starts, so that
// a network's guess decides what goes where.
//
// Results depend on the picture, the hole and the seed, and on nothing else: every round of the
// search looks at the round before alone.
package patch
