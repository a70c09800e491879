"""Definitions and appearances by a language model, with the prompts of D-MLM (Sec. 2.1).

What is asked is made in one place, :func:`maskray.reports.definitions.prompt_of`, from a name of the vocabulary. This
module takes no other text and reads no report, so that nothing else can leave the machine.
"""

from __future__ import annotations

import json
import re
import time
from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from maskray.errors import InputError
from maskray.reports.definitions import KINDS, Definition, Kind, prompt_of

_TIMEOUT_SECONDS = 120
_NUM_ATTEMPTS = 3
_WAIT_SECONDS = 5
_BUSY = frozenset({429, 500, 502, 503, 504})
_MARKUP = re.compile(r"[*#`]+")
_HEADING = re.compile(r"^(definition|radiographic characteristics)\s*:\s*", re.IGNORECASE)


class Answerer(Protocol):
    """A language model that is asked about findings by name."""

    name: str

    @abstractmethod
    def answer(self, finding: str, kind: Kind) -> str:
        """Its answer to the paper's prompt; :class:`InputError` for a name outside the vocabulary."""


def generate_definitions(answerer: Answerer, findings: Iterable[str]) -> dict[str, Definition]:
    """Ask about each finding; a model's word is no source, so that ``sources`` stays empty."""
    return {name: _generated(answerer, name) for name in findings}


def _generated(answerer: Answerer, name: str) -> Definition:
    texts = {kind: _cleaned(answerer.answer(name, kind)) for kind in KINDS}
    for kind, text in texts.items():
        if not text:
            raise InputError(f"{answerer.name} gave no {kind} of {name}; run again, or take another model")
    prompts = {kind: prompt_of(name, kind) for kind in KINDS}
    return Definition(texts["definition"], texts["appearance"], sources=(), prompts=prompts, model=answerer.name)


def _cleaned(text: str) -> str:
    """One paragraph without markup and without the heading that structured reports put before it."""
    return _HEADING.sub("", " ".join(_MARKUP.sub(" ", text).split()))


class LocalModel:
    """A causal language model in a Hugging Face folder, greedy, without the network."""

    def __init__(self, folder: Path, max_new_tokens: int) -> None:
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder; --model is a folder with a causal language model")
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.name = folder.name
        self._max_new_tokens = max_new_tokens
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            model = AutoModelForCausalLM.from_pretrained(str(folder), local_files_only=True, use_safetensors=True)
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"{folder}: not a causal language model with tokenizer and safetensors ({type(error).__name__})"
            ) from None
        self._model: Any = model.eval()

    def answer(self, finding: str, kind: Kind) -> str:
        """Its answer to the paper's prompt, as a chat where the model has a chat template."""
        prompt = prompt_of(finding, kind)
        if self._tokenizer.chat_template:
            chat = [{"role": "user", "content": prompt}]
            prompt = str(self._tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False))
        inputs = self._tokenizer(prompt, return_tensors="pt", return_token_type_ids=False)
        ids = self._model.generate(
            **inputs,
            do_sample=False,
            max_new_tokens=self._max_new_tokens,
            pad_token_id=self._tokenizer.pad_token_id or self._tokenizer.eos_token_id,
        )
        return str(self._tokenizer.decode(ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))


class _NoRedirect(HTTPRedirectHandler):
    """The key must not travel on to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Endpoint:
    """An OpenAI-compatible service; a request holds the model's name and one prompt.

    Args:
        url: its base, as ``https://host/v1``; without encryption only on this machine.
        model: the model's name there.
        key: sent as bearer token; None where none is needed.
        max_new_tokens: upper bound of an answer.
    """

    def __init__(self, url: str, model: str, key: str | None, max_new_tokens: int) -> None:
        parts = urlsplit(url)
        is_here = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        if parts.scheme != "https" and not (parts.scheme == "http" and is_here):
            raise InputError(f"--endpoint {url}: begin it with https:// (http:// is for this machine alone)")
        self.name = model
        self._url = url.rstrip("/") + "/chat/completions"
        self._key = key
        self._max_new_tokens = max_new_tokens
        self._opener = build_opener(_NoRedirect)

    def answer(self, finding: str, kind: Kind) -> str:
        """Its answer to the paper's prompt."""
        message = {"role": "user", "content": prompt_of(finding, kind)}
        body = {"model": self.name, "messages": [message], "temperature": 0, "max_tokens": self._max_new_tokens}
        for attempt in range(_NUM_ATTEMPTS):
            try:
                return self._posted(body)
            except HTTPError as error:
                if error.code not in _BUSY or attempt == _NUM_ATTEMPTS - 1:
                    raise InputError(f"{self._url}: answered {error.code} {error.reason}; check name and key") from None
            except (URLError, TimeoutError) as error:
                raise InputError(f"{self._url}: not reached ({getattr(error, 'reason', error)})") from None
            except (ValueError, KeyError, IndexError, TypeError):
                raise InputError(f"{self._url}: its answer is not that of an OpenAI-compatible service") from None
            time.sleep(_WAIT_SECONDS * (attempt + 1))
        raise AssertionError  # the last attempt returns or raises

    def _posted(self, body: dict[str, Any]) -> str:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self._key}"} if self._key else {})
        # The scheme was checked above; nothing but http and https gets here.
        request = Request(self._url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310
        with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
            return str(json.load(response)["choices"][0]["message"]["content"])
