// Purpose: the last arithmetic on a pixel: brightness, then film grain, then dither, then 8 bits.
// Inputs:  brightness 0-1; grain: its standard deviation at mid-grey, 0-1; noise: two bytes of the noise tile,
//          grain (Gaussian) low, dither (triangular) high.
// Source:  dither: Lipshitz, Wannamaker, Vanderkooy 1992 (triangular, +-1 step: the error is unbiased). Its amplitude
//          shrinks to half a step at black and white, so that exact black stays black and exact white white.
//          Grain: strongest in the mid-tones and absent in black and white, as l (1 - l).

uniform float brightness;
uniform float grain;

// What a tile's bytes mean: installation/render/noise.py writes them.
const float GRAIN_STEP = 3.0 / 128.0;   // standard deviations per byte step
const float DITHER_STEP = 1.0 / 128.0;  // output steps per byte step; stays below 1
const float ZERO = 127.5;

// Display-referred light (0-1, ringing may exceed it) to output steps (0-255). Signed integers: CPUs convert no others.
ivec3 finish(vec3 light, uint noise) {
    vec3 steps = light * (brightness * 255.0);
    float luma = dot(steps, vec3(0.2126, 0.7152, 0.0722));
    float speck = (float(int(noise & 255u)) - ZERO) * GRAIN_STEP;
    steps += max(luma * (255.0 - luma), 0.0) * (speck * grain * (4.0 / 255.0));
    float dither = (float(int((noise >> 8) & 255u)) - ZERO) * DITHER_STEP;
    vec3 room = clamp(min(steps + 0.5, 255.5 - steps), 0.0, 1.0);
    return ivec3(clamp(steps + dither * room + 0.5, 0.0, 255.0));
}
