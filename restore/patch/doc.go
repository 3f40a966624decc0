// Package patch fills wide holes of a picture with patches of the picture itself.
//
// A network that was trained to be close to the truth fills what it cannot know with the mean of
// all that might be there, which is a grey smear. Package patch instead finds, for every patch of
// 7×7 pixels that touches a hole, the most similar patch of the known picture. Each pixel to fill
// becomes the weighted mean of what the patches that cover it propose ("votes"). Both steps are
// repeated, from coarse to fine: Wexler, Shechtman and Irani, "Space-Time Completion of Video"
// (2007), with the search of Barnes et al., "PatchMatch" (2009). As coarse pictures hardly show
// texture, coarse measures of it are added to the colours, so that patches of different texture are
// told apart: Newson et al., "Non-Local Patch-Based Image Inpainting" (IPOL 2017). The search
// starts from what is in the hole before, so a network's guess decides what goes where.
//
// Results depend only on the picture, the hole and the seed, because every round of the search
// reads only the results of the round before.
package patch
