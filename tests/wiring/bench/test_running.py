"""The bench: its figures have the right shape and come from the real things. How large they are is not tested."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from installation.control.osc.packets import Message, decode_packet
from installation.control.settings import Endpoint
from installation.errors import InputError, UnavailableError
from installation.nets.model import ModelInfo, read_model
from installation.render.egl import EglPresenter
from installation.render.kernels import KERNELS
from installation.show.frameplan import Look
from installation.studio.exporting.export import space_id
from installation.studio.networks.interface import Decoder
from installation.studio.presets import preset_named
from installation.studio.training.checkpoint import Checkpoint, save
from installation.wiring.bench.against import compare_with_mpv, mpv_command, mpv_counts, rendered, require_peer
from installation.wiring.bench.decode import LATENTS, decode_rows, eager_rows, sample_latents, thread_counts
from installation.wiring.bench.display import some_display
from installation.wiring.bench.eager import EagerDecoder
from installation.wiring.bench.generator import generate, ramps
from installation.wiring.bench.machine import commit_of, load_average, memory_gb, this_machine
from installation.wiring.bench.process import cpu_seconds, high_water_mb, run_measured
from installation.wiring.bench.report import FLOOD_SCHEMA, SCHEMA
from installation.wiring.bench.running import Effort, run_bench, run_flood
from installation.wiring.bench.timing import summary, timed
from installation.wiring.bench.upscale import decoded_frames, upscale_rows
from installation.wiring.loading import load_work
from tests.onnx_models import SPACE, make_model

QUICK = Effort(warm_up=1, decodes=3, draws=2, play_s=0.2, starts=1, start_s=0.1, against_s=1.0, size=(64, 36))
RATE = Fraction(60)


@pytest.fixture
def show(tmp_path: Path) -> Path:
    """A show of a tiny model, on a port that nobody else has."""
    make_model(tmp_path / "tiny", {"one": 48})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = tmp_path / "show.toml"
    path.write_text(f'version = 1\ntitle = "Tiny"\nmodel = "tiny"\n[control]\nport = {port}\n', "utf-8")
    return path


def test_median_and_spread_are_of_what_was_counted() -> None:
    time = summary([float(ms) for ms in range(1, 102)])
    assert (time.p5_ms, time.median_ms, time.p95_ms, time.samples) == (6.0, 51.0, 96.0, 101)


def test_warm_up_is_done_but_not_counted() -> None:
    done: list[int] = []
    assert timed(done.append, warm_up=2, samples=3).samples == 3
    assert done == [0, 1, 2, 3, 4]


def test_machine_facts_are_read_from_the_kernels_files() -> None:
    assert memory_gb("MemTotal:        8000000 kB\nMemFree: 1 kB\n") == 8.2
    assert memory_gb("") is None
    assert high_water_mb("Name:\tX\nVmHWM:\t  250000 kB\n") == 256.0
    assert high_water_mb("Name:\tX\nState:\tZ (zombie)\n") is None


def test_this_machine_is_described() -> None:
    machine = this_machine("a renderer", load_average())
    assert machine.renderer == "a renderer"
    assert machine.cpu and machine.system and machine.cores >= 1
    assert machine.libraries["numpy"] == np.__version__


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_commit_is_told_and_whether_files_differ(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        command = ["git", *identity, "-C", str(tmp_path), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert commit_of(tmp_path) is None
    git("init", "-q")
    assert commit_of(tmp_path) is None
    (tmp_path / "file").write_text("one", "utf-8")
    git("add", "file")
    git("commit", "-q", "-m", "one")
    head = git("rev-parse", "HEAD")
    assert commit_of(tmp_path) == head
    (tmp_path / "file").write_text("two", "utf-8")
    assert commit_of(tmp_path) == head + "+changes"


@pytest.mark.parametrize(("cores", "counts"), [(1, (1,)), (2, (1, 2)), (6, (1, 2, 4, 6)), (8, (1, 2, 4, 8))])
def test_thread_counts_double_up_to_all_cores(cores: int, counts: tuple[int, ...]) -> None:
    assert thread_counts(cores) == counts


def test_every_decoder_is_timed_on_every_number_of_threads(show: Path) -> None:
    folder = show.parent / "tiny"
    shutil.copy(folder / "decoder.onnx", folder / "decoder.int8.onnx")
    work = load_work(show, None, RATE)
    model = read_model(folder)
    z = sample_latents(work, model)
    assert z.shape == (LATENTS, model.latent_size) and z.dtype == np.float32
    rows = list(decode_rows(model, z, (1, 2), warm_up=1, samples=3))
    on_cpu = [(row.what, row.threads) for row in rows if row.provider == "cpu"]
    assert on_cpu == [(name, count) for name in ("decoder.onnx", "decoder.int8.onnx") for count in (1, 2)]
    assert all(row.time.samples == 3 for row in rows)


def test_without_a_checkpoint_torch_is_not_compared_and_that_is_said(show: Path) -> None:
    model = read_model(show.parent / "tiny")
    eager = eager_rows(model, np.zeros((1, model.latent_size), np.float32), (1,), warm_up=1, samples=1)
    assert eager.rows == ()
    assert "not compared" in eager.note


def trained(folder: Path, further: bool = False) -> tuple[ModelInfo, Decoder]:
    """A model folder with the checkpoint of a training that has just begun, and the decoder in that checkpoint."""
    torch.manual_seed(0)
    preset = preset_named("tiny")
    shape = preset.networks
    encoder, decoder = shape.encoder(), shape.decoder().eval()
    space = SPACE if further else space_id(encoder, decoder)
    make_model(folder, {"one": 8}, d=shape.latent_size, h=shape.height, w=shape.width, space=space)
    weights = torch.nn.ModuleList([encoder, decoder]).state_dict()
    (folder / "train").mkdir()
    save(Checkpoint("tiny", "no frames", step=1, trainer={"average": weights}), folder / "train")
    return read_model(folder), decoder


def test_the_checkpoints_own_decoder_is_what_torch_runs(tmp_path: Path) -> None:
    model, decoder = trained(tmp_path / "tiny")
    z = np.random.default_rng(1).standard_normal((2, model.latent_size), np.float32)
    with torch.no_grad():
        rgb = decoder(torch.from_numpy(z[:1]))[0].permute(1, 2, 0).numpy()  # (1, 3, H, W) -> (H, W, 3)
    frame = EagerDecoder.load(model).decode(z[0])
    assert frame.dtype == np.float16 and (frame[..., 3] == 1).all()
    np.testing.assert_allclose(frame[..., :3], rgb, atol=0.002)
    measured = eager_rows(model, z, (1,), warm_up=1, samples=2)
    assert [(row.what, row.threads, row.time.samples) for row in measured.rows] == [("checkpoint.pt", 1, 2)]
    assert "the weights of decoder.onnx" in measured.note


def test_a_checkpoint_that_is_not_the_decoder_is_told_apart(tmp_path: Path) -> None:
    further, _ = trained(tmp_path / "further", further=True)
    assert "trained further since" in EagerDecoder.load(further).note
    other = replace(further, size=(1, 1))
    assert "another shape" in eager_rows(other, np.zeros((1, 8), np.float32), (1,), warm_up=1, samples=1).note


def test_every_kernel_is_timed_at_the_asked_for_size(show: Path) -> None:
    work = load_work(show, None, RATE)
    model = read_model(show.parent / "tiny")
    frames = decoded_frames(model, sample_latents(work, model))
    presenter = EglPresenter((64, 36))
    try:
        rows = list(upscale_rows(presenter, frames, Look(grain=0.02), warm_up=1, samples=2))
    finally:
        presenter.close()
    assert [row.kernel for row in rows] == list(KERNELS)
    assert {(row.source, row.target, row.time.samples) for row in rows} == {((16, 9), (64, 36), 2)}


def test_a_process_is_measured() -> None:
    program = "import time; x = bytearray(80_000_000)\nwhile time.process_time() < 0.3: pass\nprint('done')"
    spent, said = run_measured([sys.executable, "-c", program], environment=os.environ, limit_s=60)
    assert said == "done\n"
    assert 0.25 <= spent.cpu_s <= 30 and spent.wall_s > 0
    if sys.platform == "linux":
        assert spent.peak_rss_mb is not None and spent.peak_rss_mb > 80


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_processor_seconds_of_a_running_process_are_read() -> None:
    assert 0 < cpu_seconds(os.getpid()) < 100_000


@pytest.mark.parametrize(
    ("command", "limit_s", "says"),
    [
        (["no-such-program-anywhere"], 5, "no-such-program-anywhere cannot be started"),
        ([sys.executable, "-c", "raise SystemExit('the port is taken')"], 60, "code 1: the port is taken"),
        ([sys.executable, "-c", "import threading; threading.Event().wait()"], 0.3, "not done in time"),
    ],
)
def test_a_process_that_cannot_be_measured_is_explained(command: list[str], limit_s: float, says: str) -> None:
    with pytest.raises(UnavailableError, match=says):
        run_measured(command, environment=os.environ, limit_s=limit_s)


def test_an_unknown_peer_and_a_missing_one_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--against vlc: pick one of mpv"):
        require_peer("vlc")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="apt install mpv"):
        run_bench(None, None, "mpv")
    with pytest.raises(UnavailableError, match="apt install xvfb"), some_display({}, (64, 36)):
        pass


def test_a_place_that_cannot_take_the_figures_is_refused_before_measuring(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        run_bench(None, tmp_path / "nowhere" / "figures.json", None)


def test_a_display_that_is_there_is_used() -> None:
    environment = {"DISPLAY": ":77", "HOME": "/"}
    with some_display(environment, (64, 36)) as display:
        assert display.environment == environment
        assert display.server is None and display.server_cpu_s() is None


def test_mpv_is_asked_for_the_same_kernel_and_its_last_word_counts() -> None:
    assert "--scale=spline36" in mpv_command(Path("film.mp4"), "spline36")
    said = "(+) Video\n\x1b[Kdrop=0 late=0 size=1920x1080;\r\x1b[Kdrop=3 late=1 size=1920x1080;\nExiting...\n"
    assert mpv_counts(said) == (4, (1920, 1080))
    with pytest.raises(UnavailableError, match="Failed initializing"):
        mpv_counts("[vo/gpu] Failed initializing any suitable GPU context!\n")


@pytest.mark.parametrize(("size", "words"), [((16, 10), "H.264"), ((16, 9), "FFV1")])
def test_the_film_for_the_peer_has_as_many_pictures_as_the_show(
    show: Path, tmp_path: Path, size: tuple[int, int], words: str
) -> None:
    film = rendered(show, tmp_path, size, 0.5)
    assert film.pictures == 12
    assert re.search(words, film.words) and "24 a second" in film.words


def test_the_whole_bench_prints_and_writes_the_same_figures(
    show: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    report = run_bench(show, file, None, QUICK)
    written = json.loads(file.read_text("utf-8"))
    assert written["schema"] == SCHEMA
    assert written["date"].endswith("+00:00")
    assert {row["kernel"] for row in written["upscale"]} == set(KERNELS)
    assert written["playback"]["stats"]["size"] == [64, 36]
    assert written["playback"]["spent"]["user_s"] == report.playback.spent.user_s
    assert written["startup"]["samples"] == 1
    assert written["against"] is None
    printed = " ".join(capsys.readouterr().out.split())  # titles wrap with the width of the figures
    for part in ("machine", "decoding one frame", "drawing one picture", "of playing, headless", "first picture"):
        assert part in printed


def test_a_flood_is_measured_beside_one_that_goes_nowhere(show: Path, tmp_path: Path) -> None:
    file = tmp_path / "flood.json"
    flood = run_flood(show, file, 2.5).flood
    for run in (flood.baseline, *flood.floods):
        assert run.traffic.sent > 0
        assert run.orders.in_order and run.obeyed == run.orders.sent > 0
        assert run.played.stats["size"] == [640, 360]
    assert flood.baseline.played.stats["commands"]["dropped"] == 0
    for run in flood.floods:
        received = run.control["received"]
        assert received["datagrams"] > run.orders.sent + 100
        assert run.played.stats["commands"]["dropped"] == received["over_rate"] + run.control["kernel_dropped"]
    written = json.loads(file.read_text("utf-8"))
    assert written["schema"] == FLOOD_SCHEMA
    assert [run["what"] for run in written["flood"]["floods"]] == [run.what for run in flood.floods]


def test_a_flood_ends_when_nobody_listens_any_more() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        target = Endpoint(*sink.getsockname())
        packets = ramps(["/ai/volume", "/ai/speed=1"])
        assert decode_packet(packets[-1]) == Message("/ai/speed", (1.0,))
        assert generate(target, packets, limit_s=0.01).sent >= len(packets) == 2048
    assert generate(target, packets).sent == 0


def test_both_players_play_on_a_private_display(show: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    console = Console(quiet=True)
    compared = compare_with_mpv(show, (16, 9), "bilinear", seconds=1.0, size=(320, 180), say=console.print)
    assert compared.ours.size == compared.theirs.size == (320, 180)
    assert compared.ours.presented > 0 and compared.ours.spent.cpu_s > 0
    assert compared.theirs.presented + compared.theirs.missed == 24
    assert compared.theirs.name.startswith("mpv ")
    assert compared.ours.server_cpu_s is not None and compared.cpu_ratio > 0
