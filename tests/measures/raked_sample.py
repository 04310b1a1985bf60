"""A raked sample of 40 answers, with what R's package survey (4.1.1, R 4.2.2) says of it.

s <- read.csv("sample.csv"); u <- svydesign(ids=~1, weights=~1, data=s)
r <- rake(u, list(~region, ~channel), list(data.frame(region=c("Nord", "Süd", "West"), Freq=c(300, 400, 300)),
          data.frame(channel=c("Laden", "Web"), Freq=c(500, 500))), control=list(maxit=1000, epsilon=1e-12))
w <- weights(r); s$w <- w; d <- svydesign(ids=~1, weights=~w, data=s)
k <- calibrate(d, ~region+channel, c(1000, 400, 300, 500), calfun="linear")
svymean(~x, design); svyby(~x, ~region, design, svymean); svyby(~x, ~channel, design, svymean)  # design: d, r, k

The standard errors of k are those of residuals from regressions weighted with the raked weights:
se <- function(e) sqrt(40/39 * sum((w*e)^2)); se(resid(lm(x ~ region + channel, s, weights=w)))/sum(w), and in a group
z <- (s$region == g) * (s$x - weighted.mean(s$x[s$region == g], w[s$region == g])) in place of x, over sum(w) of the
group. Those of r are of residuals from unweighted regressions, centred, as R weights them by the weights before raking.
"""

from __future__ import annotations

import io

import pandas as pd

TARGETS = {"region": {"Nord": 300, "Süd": 400, "West": 300}, "channel": {"Laden": 500, "Web": 500}}

CELL_WEIGHTS = {
    ("Nord", "Laden"): 25.9413507814,
    ("Nord", "Web"): 10.6433278808,
    ("Süd", "Laden"): 47.2717937855,
    ("Süd", "Web"): 19.3948728820,
    ("West", "Laden"): 86.6624833801,
    ("West", "Web"): 35.5562527700,
}
"""Weights of each respondent, which sum to 1000."""

N_EFFECTIVE = 27.8258349748

MEANS = {
    "all": -0.0978636563,
    "Nord": -0.101986819337,
    "Süd": 0.048487182203,
    "West": -0.288874944600,
    "Laden": -0.2770903698859,
    "Web": 0.0813630572856,
}
"""Weighted means of x."""

SE_PLAIN = {
    "all": 0.1546411423129,
    "Nord": 0.169826644160,
    "Süd": 0.244359456777,
    "West": 0.328823871504,
    "Laden": 0.246003659368,
    "Web": 0.166675993230,
}
"""Standard errors of design d: the weights taken as given."""

SE_RAKED = {
    "all": 0.1379050830556,
    "Nord": 0.182624300267,
    "Süd": 0.244491249301,
    "West": 0.330647180553,
    "Laden": 0.229463820778,
    "Web": 0.167017816894,
}
"""Standard errors of design r: residuals of regressions weighted as before raking, here not at all."""

SE_MARGINS = {
    "all": 0.134896748402,
    "Nord": 0.169515371975,
    "Süd": 0.244157671731,
    "West": 0.294888394950,
    "Laden": 0.218556336059,
    "Web": 0.166530809124,
}
"""Standard errors of design k: residuals of regressions on the margins with the raked weights."""

_CSV = """\
region,channel,x
Nord,Laden,0
Nord,Laden,0
Nord,Laden,0
Nord,Laden,-1
Nord,Laden,-1
Nord,Web,1
Nord,Web,1
Nord,Web,1
Nord,Web,1
Nord,Web,1
Nord,Web,1
Nord,Web,1
Nord,Web,0
Nord,Web,0
Nord,Web,0
Nord,Web,0
Nord,Web,-1
Nord,Web,-1
Nord,Web,-1
Nord,Web,-1
Nord,Web,-1
Süd,Laden,1
Süd,Laden,1
Süd,Laden,0
Süd,Laden,0
Süd,Laden,-1
Süd,Laden,-1
Süd,Web,1
Süd,Web,0
Süd,Web,0
Süd,Web,0
Süd,Web,0
Süd,Web,0
West,Laden,-1
West,Web,1
West,Web,1
West,Web,0
West,Web,0
West,Web,-1
West,Web,-1
"""


def answers() -> pd.DataFrame:
    """Return region, channel, x (1 promoter, 0 passive, -1 detractor) and nps, an answer from 0 to 10 that says so."""
    sample = pd.read_csv(io.StringIO(_CSV))
    return sample.assign(nps=sample["x"].map({1: 9, 0: 8, -1: 3}))
