"""Definitions by a language model, and the proof that nothing but the paper's prompts can be sent."""

import ast
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from maskray.errors import InputError
from maskray.reports import generation
from maskray.reports.definitions import KINDS, prompt_of, read_definitions
from maskray.reports.generation import Endpoint, LocalModel, generate_definitions
from maskray.reports.vocabulary import FINDINGS
from maskray.torchvision_shim import ensure_torchvision_imports
from tests.scripts.programs import TOP, run_program

KEY = "a-key-for-this-test"


@pytest.fixture
def service():
    """A service on this machine; ``service.answers`` (status, body) come first, then good ones."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.requests.append((self.path, dict(self.headers), json.loads(body)))
            text = f"Definition: answer {len(server.requests)} **bold**\n\nand more."
            good = 200, {"choices": [{"message": {"role": "assistant", "content": text}}]}
            status, answer = server.answers.pop(0) if server.answers else good
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/v1/elsewhere")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.answers = [], []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_all_that_is_sent_is_the_papers_prompts(service, tmp_path, monkeypatch):
    monkeypatch.setenv("THE_KEY", KEY)
    path = tmp_path / "definitions.json"
    result = run_program(
        "generate_definitions", "--endpoint", service.url, "--model", "some-model", "--key-variable", "THE_KEY",
        "--definitions", str(path),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert [body for _, _, body in service.requests] == [
        {
            "model": "some-model",
            "messages": [{"role": "user", "content": prompt_of(name, kind)}],
            "temperature": 0,
            "max_tokens": 256,
        }
        for name in FINDINGS
        for kind in KINDS
    ]
    assert {where for where, _, _ in service.requests} == {"/v1/chat/completions"}
    assert {headers["Authorization"] for _, headers, _ in service.requests} == {f"Bearer {KEY}"}
    # No header carries anything of the machine or the user either.
    assert {name for _, headers, _ in service.requests for name in headers} == {
        "Accept-Encoding", "Content-Length", "Host", "User-Agent", "Content-Type", "Authorization", "Connection",
    }  # fmt: skip
    written = read_definitions(path)
    assert written["No Finding"].definition == "answer 1 bold and more."
    assert written["No Finding"].model == "some-model"
    assert KEY not in path.read_text() + result.stdout + result.stderr


@pytest.mark.parametrize("text", ["Jane Doe, 54, has an effusion in the left lung.", "pleural effusion", "Gout", ""])
def test_a_name_outside_the_vocabulary_is_refused_and_nothing_is_sent(service, text):
    for kind in KINDS:
        with pytest.raises(InputError, match="not a finding of the vocabulary"):
            Endpoint(service.url, "m", None, 8).answer(text, kind)
    with pytest.raises(InputError, match="not a finding of the vocabulary"):
        generate_definitions(Endpoint(service.url, "m", None, 8), [text])
    assert service.requests == []


def maskray_imports(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module.startswith("maskray")}


def test_nothing_that_reads_reports_is_imported():
    library = TOP / "src/maskray"
    allowed = {
        "reports/generation.py": {
            "maskray.errors",
            "maskray.reports.definitions",
            "maskray.torchvision_shim",
        },
        "reports/definitions.py": {"maskray.errors", "maskray.files", "maskray.reports.vocabulary"},
        "reports/vocabulary.py": {"maskray.errors", "maskray.files"},
    }
    for module, names in allowed.items():
        assert maskray_imports(library / module) == names
    assert maskray_imports(TOP / "scripts/generate_definitions.py") == {
        "maskray", "maskray.errors", "maskray.reports.definitions", "maskray.reports.generation",
        "maskray.reports.vocabulary",
    }  # fmt: skip
    # One place makes a request; what it sends comes from prompt_of alone.
    source = Path(generation.__file__).read_text(encoding="utf-8")
    assert source.count("Request(") == source.count('"content": prompt_of(finding, kind)') == 1


def test_a_busy_service_is_asked_again(service, monkeypatch):
    monkeypatch.setattr(generation.time, "sleep", lambda seconds: None)
    service.answers = [(429, {}), (503, {})]
    assert "answer 3" in Endpoint(service.url, "m", None, 8).answer("Hernia", "definition")
    assert "Authorization" not in service.requests[0][1]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([(401, {})], "answered 401"),
        ([(302, {})], "answered 302"),
        ([(503, {})] * 3, "answered 503"),
        ([(200, {"text": "no choices"})], "not that of an OpenAI-compatible service"),
        ([(200, {"choices": [{"message": {"content": " ** "}}]})], "gave no definition of Hernia"),
    ],
)
def test_bad_answers_are_said_and_leave_no_file(service, monkeypatch, answers, message):
    monkeypatch.setattr(generation.time, "sleep", lambda seconds: None)
    service.answers = answers
    with pytest.raises(InputError, match=message):
        generate_definitions(Endpoint(service.url, "m", KEY, 8), ["Hernia"])
    assert len(service.requests) <= 3
    assert all(where == "/v1/chat/completions" for where, _, _ in service.requests)


@pytest.mark.parametrize("url", ["http://example.org/v1", "ftp://127.0.0.1/v1", "file:///etc", "example.org/v1"])
def test_the_key_is_never_sent_in_the_clear(url):
    with pytest.raises(InputError, match="begin it with https"):
        Endpoint(url, "m", KEY, 8)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model", ""], "set generate_definitions.model"),
        (["--model", "scripts"], "scripts: no folder with a causal language model"),
        (["--model", "m", "--endpoint", "http://127.0.0.1:9/v1"], "not reached"),
    ],
)
def test_bad_flags_leave_no_file(tmp_path, flags, message):
    path = tmp_path / "definitions.json"
    result = run_program("generate_definitions", *flags, "--definitions", str(path))
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny random causal model whose words are those of the prompts."""
    ensure_torchvision_imports()
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast, set_seed

    prompts = [prompt_of(name, kind) for name in FINDINGS for kind in KINDS]
    words = sorted({word for prompt in prompts for word, _ in Whitespace().pre_tokenize_str(prompt)})
    backend = Tokenizer(WordLevel({word: i for i, word in enumerate(["[UNK]", *words])}, unk_token="[UNK]"))
    backend.pre_tokenizer = Whitespace()
    path = tmp_path_factory.mktemp("tiny-model")
    PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]").save_pretrained(path)
    set_seed(0)
    sizes = {"n_positions": 128, "n_embd": 16, "n_layer": 1, "n_head": 2, "initializer_range": 0.5}
    settings = GPT2Config(vocab_size=len(words) + 1, bos_token_id=None, eos_token_id=None, **sizes)
    GPT2LMHeadModel(settings).save_pretrained(path)
    return path


def test_a_local_model_answers_the_same_twice(folder):
    model = LocalModel(folder, 6)
    first, second = (generate_definitions(model, ["Hernia", "Edema"]) for _ in range(2))
    assert first == second
    assert list(first) == ["Hernia", "Edema"]
    assert first["Hernia"].model == folder.name
    assert first["Hernia"].prompts["definition"] == prompt_of("Hernia", "definition")
    assert first["Hernia"].definition
    # The answer is what follows the prompt, not the prompt.
    assert "Give me only a single paragraph" not in first["Hernia"].definition
