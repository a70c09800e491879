"""What pre-training leaves, and how it is read."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.made_studies import make_source, stage

from maskray.config.stages import PretrainStage
from maskray.config.training import RuntimeConfig
from maskray.errors import InputError
from maskray.files import read_yaml, write_yaml
from maskray.reports.vocabulary import FINDINGS
from maskray.torchvision_shim import ensure_torchvision_imports
from maskray.training.export import export_method, load_image_encoder, load_method
from maskray.training.loop import pretrain


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    top = tmp_path_factory.mktemp("pretrain")
    settings = PretrainStage.model_validate(stage("maco", num_epochs=1))
    pretrain(settings, [make_source(top / "made", 8)], 0, top / "out", RuntimeConfig())
    torch.use_deterministic_algorithms(False)
    return top / "out"


@pytest.fixture
def copied(exported, tmp_path):
    import shutil

    shutil.copytree(exported, tmp_path / "copy")
    return tmp_path / "copy"


def test_loaded_again_it_is_the_same_method(exported):
    loaded = load_method(exported)
    stored = load_file(exported / "weights.safetensors")
    state = loaded.method.state_dict()
    assert set(stored) == set(state)
    assert all(torch.equal(stored[name], state[name]) for name in stored)
    assert not loaded.method.training
    assert loaded.stage == PretrainStage.model_validate(stage("maco", num_epochs=1))


def test_the_image_encoder_alone_is_that_of_the_method(exported):
    method, alone = load_method(exported).method, load_image_encoder(exported)
    films = torch.rand(2, 32, 32)
    _, patches = method.image_encoder(films)
    # MaCo stands on the mean of its patches.
    assert torch.equal(alone(films), patches.mean(dim=1))
    assert not alone.training


def test_image_encoder_loads_with_timm_alone(exported):
    ensure_torchvision_imports()
    import timm

    sizes = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "depth": 1, "num_heads": 2}
    model = timm.create_model(
        "vit_tiny_patch16_224",
        num_classes=0,
        checkpoint_path=str(exported / "image_encoder.safetensors"),
        **sizes,
    )
    ours = load_method(exported).method.image_encoder.model.state_dict()
    assert all(torch.equal(value, ours[name]) for name, value in model.state_dict().items())


def test_text_encoder_loads_with_transformers_alone(exported):
    ensure_torchvision_imports()
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(exported / "text_encoder", add_pooling_layer=False)
    tokenizer = AutoTokenizer.from_pretrained(exported / "text_encoder")
    ours = load_method(exported)
    assert len(tokenizer) == len(ours.tokenizer) == model.config.vocab_size
    text = "there is pleural effusion in the left lung."
    assert tokenizer(text)["input_ids"] == ours.tokenizer(text)["input_ids"]
    assert tokenizer.unk_token_id not in tokenizer(text)["input_ids"]
    state = ours.method.text_encoder.model.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_every_finding_has_its_words(exported):
    tokenizer = load_method(exported).tokenizer
    words = {word for finding in FINDINGS.values() for word in finding.phrase.replace("-", " - ").split()}
    assert len(words) > 30
    assert words <= set(tokenizer.get_vocab())


def test_nothing_is_fetched_where_training_began_from_named_weights(copied):
    settings = read_yaml(copied / "method.yaml")
    settings["stage"]["image_encoder"]["weights"] = "a_tag_that_is_not_here"
    settings["stage"]["text_encoder"] = {"weights": "nobody/NoSuchModel", "max_tokens": 48}
    write_yaml(copied / "method.yaml", settings)
    loaded = load_method(copied)
    assert loaded.stage.image_encoder.weights == "a_tag_that_is_not_here"


def test_exporting_again_gives_the_same_bytes(exported, tmp_path):
    loaded = load_method(exported)
    export_method(loaded.method, loaded.tokenizer, loaded.stage, tmp_path)
    export_method(loaded.method, loaded.tokenizer, loaded.stage, tmp_path)
    tensors = ["weights.safetensors", "image_encoder.safetensors", "text_encoder/model.safetensors"]
    for name in [*tensors, "text_encoder/tokenizer.json", "method.yaml"]:
        assert (tmp_path / name).read_bytes() == (exported / name).read_bytes()


def test_weights_are_the_last_file(exported):
    last = max((path for path in exported.rglob("*") if "resume" not in path.parts), key=lambda p: p.stat().st_ctime_ns)
    assert last.name == "weights.safetensors" or last == exported


@pytest.mark.parametrize("damage", ["cut", "missing", "renamed"])
def test_damaged_weights_are_said(copied, damage):
    path = copied / "weights.safetensors"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-10])
    elif damage == "missing":
        path.unlink()
    else:
        save_file({"x": torch.zeros(1)}, path)
    for load in (load_method, load_image_encoder):
        with pytest.raises(InputError, match=f"{path}: .*run pretrain"):
            load(copied)


def test_damaged_settings_and_tokenizer_are_said(copied):
    (copied / "method.yaml").write_text("stage: 1\nvocabulary_size: 3\n")
    with pytest.raises(InputError, match=r"method\.yaml"):
        load_method(copied)
    (copied / "method.yaml").write_text("[]")
    with pytest.raises(InputError, match=r"method\.yaml: not written by pretrain"):
        load_method(copied)


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(InputError, match=r"method\.yaml: no such file"):
        load_method(tmp_path)


def test_a_vocabulary_of_another_run_is_said(copied):
    settings = read_yaml(copied / "method.yaml")
    write_yaml(copied / "method.yaml", settings | {"vocabulary_size": 7})
    with pytest.raises(InputError, match=r"text_encoder: \d+ word pieces where method\.yaml says 7"):
        load_method(copied)
