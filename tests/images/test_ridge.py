import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.filters import meijering

from maskray.config.preprocessing import RidgeConfig
from maskray.images import ridge
from maskray.images.ridge import ridge_response

SCALES = ["sigma2_max", "sigma2", "none"]


def film_like(height=224, width=224, seed=0):
    """Bright bars and a bright tube over a soft background with noise, in 0..1."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    bars = 0.2 * np.exp(-(((rows + columns / 4) % 29 - 14) ** 2) / 18)
    tube = 0.3 * np.exp(-((columns - width / 3 - 9 * np.sin(rows / 20)) ** 2) / 4)
    soft = 0.3 * np.exp(-((rows - height / 2) ** 2 + (columns - width / 2) ** 2) / width**2)
    return np.clip(bars + tube + soft + rng.normal(0, 0.01, (height, width)), 0, 1)


def by_loop(film, sigmas, scale, is_bright):
    """The paper's formula, pixel by pixel, from scipy's derivatives and numpy's eigenvalues, in float64."""

    def gaussian(image, order, sigma):
        return ndimage.gaussian_filter(
            image, sigma / np.sqrt(2), order=order, mode="reflect", truncate=8 if sigma > 1 else 100
        )

    best = np.zeros(film.shape)
    for sigma in sigmas:
        along_rows, along_columns = gaussian(film, (1, 0), sigma), gaussian(film, (0, 1), sigma)
        rr, rc, cc = (
            gaussian(along_rows, (1, 0), sigma),
            gaussian(along_rows, (0, 1), sigma),
            gaussian(along_columns, (0, 1), sigma),
        )
        response = np.zeros(film.shape)
        for place in np.ndindex(film.shape):
            hessian = np.array([[rr[place], rc[place]], [rc[place], cc[place]]])
            if scale != "none":
                hessian = hessian * sigma**2
            if not is_bright:
                hessian = -hessian
            lambda1, lambda2 = sorted(np.linalg.eigvalsh(hessian), key=abs)
            response[place] = 0 if lambda2 > 0 else np.sqrt(lambda1**2 + lambda2**2)
        if scale == "sigma2_max":
            response /= response.max()
        best = np.maximum(best, response)
    return best / best.max()


@pytest.mark.parametrize("is_bright", [True, False])
@pytest.mark.parametrize("shape", [(224, 224), (150, 224), (224, 9)])
def test_formula_skimage_equals_scikit_image(shape, is_bright):
    film = film_like(*shape)
    expected = meijering(film, sigmas=(1, 3, 5, 7, 9), black_ridges=not is_bright)
    config = RidgeConfig(formula="skimage", bright_ridges=is_bright)
    response = ridge_response(torch.from_numpy(film)[None], config)[0]
    np.testing.assert_allclose(response, expected, atol=1e-10)


@pytest.mark.parametrize("is_bright", [True, False])
def test_formula_skimage_equals_scikit_image_in_single_precision(is_bright):
    film = film_like().astype(np.float32)
    expected = meijering(film, sigmas=(1, 3, 5, 7, 9), black_ridges=not is_bright)
    config = RidgeConfig(formula="skimage", bright_ridges=is_bright)
    response = ridge_response(torch.from_numpy(film)[None], config)[0]
    assert response.dtype == torch.float32
    difference = np.abs(response.numpy() - expected)
    # The formula jumps where the eigenvalues' sum changes its sign: there, rounding decides for single pixels.
    assert (difference > 1e-5).sum() <= 2
    assert np.partition(difference.ravel(), -3)[-3] <= 1e-5


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("is_bright", [True, False])
def test_formula_paper_equals_a_loop_over_pixels(scale, is_bright):
    film = film_like(30, 41)
    config = RidgeConfig(scale=scale, bright_ridges=is_bright, sigmas=(1, 2.5, 5))
    response = ridge_response(torch.from_numpy(film)[None], config)[0]
    expected = by_loop(film, config.sigmas, scale, is_bright)
    assert (expected > 0).mean() > 0.2
    np.testing.assert_allclose(response, expected, atol=1e-9)


@pytest.mark.parametrize("formula", ["paper", "skimage"])
def test_polarity(formula):
    line = torch.zeros(1, 64, 64)
    line[:, :, 30:33] = 1
    bright, dark = RidgeConfig(formula=formula), RidgeConfig(formula=formula, bright_ridges=False)
    assert ridge_response(line, bright)[0, 32, 31] > 0.9
    assert ridge_response(line, dark)[0, 32, 31] == 0
    assert ridge_response(1 - line, bright)[0, 32, 31] == 0
    np.testing.assert_allclose(ridge_response(1 - line, dark), ridge_response(line, bright), atol=2e-4)


@pytest.mark.parametrize("formula", ["paper", "skimage"])
@pytest.mark.parametrize("value", [0.0, 0.1, 1.0])
def test_one_grey_value_has_no_ridge(formula, value):
    films = torch.full((2, 40, 50), value)
    assert not ridge_response(films, RidgeConfig(formula=formula)).any()


@pytest.mark.parametrize("config", [RidgeConfig(), RidgeConfig(formula="skimage"), RidgeConfig(scale="none")])
def test_the_films_of_a_batch_do_not_know_each_other(config):
    films = torch.from_numpy(np.stack([film_like(50, 60), 0.1 * film_like(50, 60, seed=1), np.zeros((50, 60))]))
    together = ridge_response(films, config)
    for film, response in zip(films, together, strict=True):
        np.testing.assert_allclose(ridge_response(film[None], config)[0], response, atol=1e-12)
    assert together.amax(dim=(1, 2)).tolist() == [1, 1, 0]
    assert together.min() == 0


def test_brightness_and_contrast_do_not_matter_and_the_input_is_kept():
    films = torch.from_numpy(film_like(60, 60))[None]
    before = films.clone()
    response = ridge_response(films, RidgeConfig())
    np.testing.assert_allclose(ridge_response(0.2 * films + 0.7, RidgeConfig()), response, atol=1e-9)
    np.testing.assert_allclose(films, before, atol=0)


def test_without_sigma_squared_the_smallest_scale_outweighs_the_largest():
    dot = torch.zeros(1, 101, 101, dtype=torch.float64)
    dot[0, 50, 50] = 1
    one, nine = (ridge._per_scale(dot, sigma, ridge._paper_response)[0, 50, 50] for sigma in (1.0, 9.0))
    assert one / nine > 240


def test_rows_and_columns_are_treated_alike():
    film = torch.from_numpy(film_like(40, 70))
    config = RidgeConfig(formula="skimage", sigmas=(1,))
    turned = ridge_response(film.T[None], config)[0].T
    inside = (slice(10, -10), slice(10, -10))  # at a border the mixed derivative depends on the order
    np.testing.assert_allclose(turned[inside], ridge_response(film[None], config)[0][inside], atol=1e-9)


def test_no_films_give_no_responses():
    assert ridge_response(torch.zeros(0, 8, 8), RidgeConfig()).shape == (0, 8, 8)


@pytest.mark.gpu
def test_the_gpu_agrees():
    films = torch.from_numpy(np.stack([film_like(), film_like(seed=2)])).float()
    for formula in ("paper", "skimage"):
        config = RidgeConfig(formula=formula)
        difference = (ridge_response(films.cuda(), config).cpu() - ridge_response(films, config)).abs()
        assert (difference > 1e-5).sum() <= 4
