from __future__ import annotations

from installation.nets.processor import cpu_model, processor_name, usable_cores


def test_the_model_is_read_from_the_kernel() -> None:
    assert cpu_model("processor\t: 0\nmodel name\t: AMD  EPYC 7B13\nmodel name\t: other\n") == "AMD EPYC 7B13"
    assert cpu_model("processor: 0\nBogoMIPS: 50\n") == ""


def test_this_machine_has_a_processor() -> None:
    assert processor_name()
    assert usable_cores() >= 1
