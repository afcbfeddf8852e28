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
#include "resample.glsl"
#include "finish.glsl"

void put(ivec2 place, vec3 light, uint noise) {
    uvec3 steps = uvec3(finish(light, noise));
    imageStore(picture, place, uvec4(steps.r | (steps.g << 8) | (steps.b << 16) | 0xff000000u));
}

void main() {
    ivec2 size = imageSize(picture);
    int x = int(gl_GlobalInvocationID.x);
    int column = min(x, size.x - 1);
    int group = int(gl_WorkGroupID.y);
    int block = blocks.x + blocks.y * group;
    EVERY_TAP
    uvec4 noise = texelFetch(tile, (ivec2(x, block) + offset) & (textureSize(tile, 0) - 1), 0);
    // Framebuffers count rows from the bottom. Stores outside the image are discarded by the standard.
    int y = size.y - 1 - block * 8;
    put(ivec2(x, y), sum0, noise.x);
    put(ivec2(x, y - 1), sum1, noise.x >> 16);
    put(ivec2(x, y - 2), sum2, noise.y);
    put(ivec2(x, y - 3), sum3, noise.y >> 16);
    put(ivec2(x, y - 4), sum4, noise.z);
    put(ivec2(x, y - 5), sum5, noise.z >> 16);
    put(ivec2(x, y - 6), sum6, noise.w);
    put(ivec2(x, y - 7), sum7, noise.w >> 16);
}
