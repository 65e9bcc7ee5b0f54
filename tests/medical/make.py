#!/usr/bin/env python3
"""Makes the small DICOM and NIfTI files of this folder, and numbers that they are read against (expected.json).

    pip install numpy pydicom nibabel pillow
    python tests/medical/make.py

Everything is drawn: no patient was imaged. The same script gives the same bytes.
"""

import json
import pathlib

import nibabel
import numpy
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)

HERE = pathlib.Path(__file__).parent
ROOT = "1.2.826.0.1.3680043.10.9999"
HEIGHT, WIDTH = 20, 28
EXPECTED = {}


def blob(k, height=HEIGHT, width=WIDTH):
    """A lesion, which moves with k."""
    y, x = numpy.mgrid[0:height, 0:width]
    return (y - 8 - k % 5) ** 2 * 2 + (x - 11 - k % 7) ** 2 <= 30 + 4 * (k % 3)


def scene(k, height=HEIGHT, width=WIDTH):
    """Values from 0 to 1: a slope, stripes and a darker lesion."""
    y, x = numpy.mgrid[0:height, 0:width]
    return 0.55 + 0.25 * numpy.sin(0.7 * x + 0.4 * k) * numpy.cos(0.5 * y) + 0.006 * x - 0.35 * blob(k, height, width)


def dicom(name, pixels, syntax=ExplicitVRLittleEndian, photometric="MONOCHROME2", stored=None, patient=None, frames=None, **more):
    path = HERE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    uid = ROOT + "." + ".".join(str(int.from_bytes(part.encode()[:3], "big")) for part in name.split("/"))
    meta.MediaStorageSOPInstanceUID = uid
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = ROOT
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, uid
    data.PatientName, data.PatientID = "Drawn", patient or ""
    data.Modality = "OT"
    array = numpy.asarray(pixels)
    shape = array.shape if frames is None else array.shape[1:]
    data.Rows, data.Columns = shape[:2]
    data.SamplesPerPixel = 3 if len(shape) == 3 else 1
    data.PhotometricInterpretation = photometric
    bits = 8 * array.itemsize
    data.BitsAllocated, data.BitsStored = bits, stored or bits
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(array.dtype.kind == "i")
    if data.SamplesPerPixel == 3:
        data.PlanarConfiguration = 0
    if frames is not None:
        data.NumberOfFrames = frames
    for key, value in more.items():
        setattr(data, key, value)
    raw = array.astype(array.dtype.newbyteorder(">" if syntax == ExplicitVRBigEndian else "<")).tobytes()
    data.PixelData = raw + b"\0" * (len(raw) % 2)
    data["PixelData"].VR = "OW" if bits > 8 else "OB"
    if syntax == RLELossless:
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.compress(RLELossless, generate_instance_uid=False)
    if syntax == JPEGBaseline8Bit:
        import io

        packed = io.BytesIO()
        Image.fromarray(array).save(packed, "JPEG", quality=95, subsampling=0)
        data.PixelData = encapsulate([packed.getvalue()])
        data["PixelData"].is_undefined_length = True
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    if syntax == ExplicitVRBigEndian:
        pydicom.dcmwrite(path, data, implicit_vr=False, little_endian=False, enforce_file_format=True)
    else:
        pydicom.dcmwrite(path, data, enforce_file_format=True)
    return data


def shades(name, data):
    """What a viewer shows, from the numbers that pydicom gives."""
    values = apply_voi_lut(apply_modality_lut(data.pixel_array, data), data).astype(float)
    window = float(data.WindowWidth) if not isinstance(data.WindowWidth, list) else float(data.WindowWidth[0])
    low, high = values.min(), values.max()
    # pydicom scales to the range that the values can have.
    slope, intercept = float(getattr(data, "RescaleSlope", 1)), float(getattr(data, "RescaleIntercept", 0))
    least = -(2 ** (data.BitsStored - 1)) if data.PixelRepresentation else 0
    most = least + 2**data.BitsStored - 1
    low, high = least * slope + intercept, most * slope + intercept
    grey = 255 * (values - low) / (high - low)
    if data.PhotometricInterpretation == "MONOCHROME1":
        grey = 255 - grey
    EXPECTED[name] = {"grey": [int(v) for v in numpy.floor(grey + 0.5).ravel()], "window": window}


def mask_png(name, mask):
    path = HERE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((255 * mask).astype(numpy.uint8)).save(path, optimize=True)


def nifti(name, array, pixdim, dtype, slope=None, header=nibabel.Nifti1Header, image=nibabel.Nifti1Image, affine=None, units="mm"):
    path = HERE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    # nibabel's first axis is x: our rows are its second axis.
    array = numpy.asarray(array)
    turned = numpy.moveaxis(array, (-1, -2), (0, 1)) if array.ndim == 3 else array.T
    made = image(turned.astype(dtype), numpy.diag([*pixdim, 1.0][:3] + [1.0]) if affine is None else affine)
    made.header.set_data_dtype(dtype)
    if slope:
        made.header.set_slope_inter(*slope)
    made.header.set_zooms(pixdim[: turned.ndim])
    made.header.set_xyzt_units(units)
    nibabel.save(made, path)
    if name.endswith(".gz"):
        import gzip

        raw = gzip.decompress(path.read_bytes())
        path.write_bytes(gzip.compress(raw, 9, mtime=0))


def one_of_each_kind():
    """kinds/: every way of storing a picture that is read."""
    for k, (name, syntax) in enumerate(
        [("implicit", ImplicitVRLittleEndian), ("explicit", ExplicitVRLittleEndian), ("big", ExplicitVRBigEndian),
         ("deflated", DeflatedExplicitVRLittleEndian), ("rle", RLELossless)]
    ):
        values = numpy.round(3000 * scene(k) - 1024).astype(numpy.int16)
        dicom(f"kinds/ct_{name}.dcm", values, syntax, stored=16, RescaleSlope="1", RescaleIntercept="-10",
              WindowCenter="400", WindowWidth="1500", PixelSpacing=["0.7", "0.5"])
        data = pydicom.dcmread(HERE / f"kinds/ct_{name}.dcm")
        shades(f"kinds/ct_{name}.dcm", data)
    values = numpy.round(4095 * scene(7).clip(0, 1)).astype(numpy.uint16)
    dicom("kinds/xray.dcm", values, stored=12, photometric="MONOCHROME1", WindowCenter="2048", WindowWidth="4096",
          ImagerPixelSpacing=["0.14", "0.14"])
    shades("kinds/xray.dcm", pydicom.dcmread(HERE / "kinds/xray.dcm"))
    dicom("kinds/deep.dcm", values, stored=12)
    EXPECTED["kinds/deep.dcm"] = {"numbers": [int(v) for v in values.ravel()]}
    grey = numpy.round(255 * scene(8).clip(0, 1)).astype(numpy.uint8)
    colour = numpy.stack([grey, grey[::-1], 255 - grey], -1)
    dicom("kinds/rgb.dcm", colour, photometric="RGB")
    dicom("kinds/planes.dcm", colour.transpose(2, 0, 1).reshape(HEIGHT, WIDTH, 3), photometric="RGB", PlanarConfiguration=1)
    for name in ["rgb", "planes"]:
        EXPECTED[f"kinds/{name}.dcm"] = {"rgb": [int(v) for v in pydicom.dcmread(HERE / f"kinds/{name}.dcm").pixel_array.ravel()]}
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    smooth = numpy.stack([8 * y + 40, 6 * x + 30, 200 - 5 * y], -1).astype(numpy.uint8)
    dicom("kinds/jpeg.dcm", smooth, JPEGBaseline8Bit, photometric="YBR_FULL")
    EXPECTED["kinds/jpeg.dcm"] = {"rgb": [int(v) for v in smooth.ravel()], "tolerance": 12}
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType = 1, 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX, region.PhysicalDeltaY = 0.012, 0.015
    dicom("kinds/ultrasound.dcm", grey, SequenceOfUltrasoundRegions=Sequence([region]))
    EXPECTED["kinds/ultrasound.dcm"] = {"grey": [int(v) for v in grey.ravel()]}
    signed = numpy.round(900 * (scene(9) - 0.5)).astype(numpy.int16)
    nifti("kinds/mri.nii.gz", numpy.stack([signed + 10 * k for k in range(3)]), (0.4, 0.6, 3.0), numpy.int16)
    nifti("kinds/bytes.nii", grey, (0.3, 0.3), numpy.uint8)
    EXPECTED["kinds/bytes.nii"] = {"grey": [int(v) for v in grey.ravel()]}
    nifti("kinds/two.nii", grey, (0.3, 0.3), numpy.uint8, header=nibabel.Nifti2Header, image=nibabel.Nifti2Image)
    EXPECTED["kinds/two.nii"] = EXPECTED["kinds/bytes.nii"]
    loaded = nibabel.load(HERE / "kinds/mri.nii.gz").get_fdata()
    low, high = numpy.quantile(loaded, [0.005, 0.995])
    EXPECTED["kinds/mri z=1.nii"] = {
        "grey": [int(v) for v in numpy.round(255 * (loaded[:, :, 1].T - low) / (high - low)).clip(0, 255).ravel()],
        "tolerance": 2,
    }


def folders():
    """Folders as people have them, each opened by an importer of its own."""
    # Ultrasound: DICOM beside PNG masks; two patients have two images each.
    for k in range(8):
        grey = numpy.round(255 * scene(k).clip(0, 1)).astype(numpy.uint8)
        dicom(f"ultrasound/images/case{k}.dcm", grey, patient=f"P{k // 2}", PixelSpacing=["0.2", "0.3"])
        mask_png(f"ultrasound/masks/case{k}.png", blob(k))
    # CT: DICOM images with DICOM masks.
    for k in range(4):
        values = numpy.round(3000 * scene(k) - 1024).astype(numpy.int16)
        dicom(f"ct/a{k}.dcm", values, WindowCenter="400", WindowWidth="1500", PixelSpacing=["0.7", "0.7"], patient="ANON")
        dicom(f"ct/a{k}_mask.dcm", blob(k).astype(numpy.uint8), patient="ANON")
    # MRI as nnU-Net has it: volumes with label volumes.
    for k in range(4):
        volume = numpy.stack([numpy.round(1200 * scene(3 * k + z, 18, 24)) for z in range(3)])
        labels = numpy.stack([blob(3 * k + z, 18, 24) for z in range(3)])
        nifti(f"nnunet/imagesTr/case_{k}_0000.nii.gz", volume, (0.5, 0.8, 4.0), numpy.int16)
        nifti(f"nnunet/labelsTr/case_{k}.nii.gz", labels, (0.5, 0.8, 4.0), numpy.uint8)
    # 2-D NIfTI with masks by suffix, in micrometres.
    for k in range(4):
        grey = numpy.round(255 * scene(k + 20).clip(0, 1)).astype(numpy.uint8)
        nifti(f"micro/c{k}.nii", grey, (250.0, 500.0), numpy.uint8, units="micron")
        nifti(f"micro/c{k}_seg.nii", blob(k + 20), (250.0, 500.0), numpy.uint8, units="micron")
    # A film of an ultrasound probe: frames are pictures, their masks are one volume.
    film = numpy.stack([numpy.round(255 * scene(k + 30).clip(0, 1)) for k in range(4)]).astype(numpy.uint8)
    dicom("film/images/clip.dcm", film, frames=4, PixelSpacing=["0.1", "0.1"], patient="P9")
    nifti("film/masks/clip.nii.gz", numpy.stack([blob(k + 30) for k in range(4)]), (0.1, 0.1, 1.0), numpy.uint8)


one_of_each_kind()
folders()
(HERE / "expected.json").write_text(json.dumps(EXPECTED, separators=(",", ":")) + "\n")
