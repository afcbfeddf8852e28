#version 430
// Purpose: the vertical half of an upscale and the finish, straight to 8 bits: the one pass at full size.
// Inputs:  middle: for each picture, (canvas width x source height), row 0 on top; tile: noise, eight rows to a texel
//          (four uints, low half above high half), moved by `offset`.
// Source:  resample.glsl along y, finish.glsl.

layout(local_size_x = 64) in;
layout(r32ui, binding = 0) writeonly uniform uimage2D picture;  // RGBA8 seen as whole words: one store per pixel
uniform sampler2D middle[PICTURES];
uniform usampler2D tile;
uniform ivec2 offset;

#define SAMPLE(p, index) texelFetch(middle[p], ivec2(column, min(index, textureSize(middle[p], 0).y - 1)), 0).rgb
#define NOISE_TEXELS ((ROWS + 7) / 8)  // a block of rows starts at a texel of its own
#include "resample.glsl"
#include "finish.glsl"

void main() {
    ivec2 size = imageSize(picture);
    int x = int(gl_GlobalInvocationID.x);
    int column = min(x, size.x - 1);
    int group = int(gl_WorkGroupID.y);
    int block = blocks.x + blocks.y * group;
    vec3 sums[ROWS];
    for (int row = 0; row < ROWS; ++row) sums[row] = vec3(0.0);
    EVERY_TAP
    uvec4 noise[NOISE_TEXELS];
    for (int texel = 0; texel < NOISE_TEXELS; ++texel) {
        ivec2 place = ivec2(x, block * NOISE_TEXELS + texel) + offset;
        noise[texel] = texelFetch(tile, place & (textureSize(tile, 0) - 1), 0);
    }
    // Framebuffers count rows from the bottom. Stores outside the image are discarded by the standard.
    int top = size.y - 1 - block * ROWS;
    for (int row = 0; row < ROWS; ++row) {
        ivec3 steps = finish(sums[row], noise[row / 8][row % 8 / 2] >> (row % 2 * 16));
        uint word = uint(steps.r | (steps.g << 8) | (steps.b << 16)) | 0xff000000u;
        imageStore(picture, ivec2(x, top - row), uvec4(word));
    }
}
